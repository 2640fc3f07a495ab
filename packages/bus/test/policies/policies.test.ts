// Policies that another replica has changed, or an earlier release has stored.
import { HeldClock } from '@hypercode/clock/testing';
import { type Database, migrate, openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { createLocalSignal } from '@hypercode/feed';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { busSchema } from '../../src/database-schema.ts';
import { Policies } from '../../src/policies/policies.ts';
import type { PolicySchema } from '../../src/policies/policy-table.ts';
import { CHANGE } from '../../testing/policy-change.ts';

let database: Database;
let folder: Awaited<ReturnType<typeof migratedFolder>>;

beforeAll(async () => {
  folder = await migratedFolder('policies', [busSchema]);
  database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, [busSchema]);
}, 180_000);

afterAll(async () => {
  await database.close();
  await folder.remove();
});

test('a policy that was changed without a wake-up is in force after the next check', async () => {
  const db = database.kysely.$extendTables<PolicySchema>();
  const clock = new HeldClock();
  const errors: unknown[] = [];
  const replica = () => {
    const signal = createLocalSignal();
    const policies = new Policies({ db, signal, clock, onError: (error) => errors.push(error) });
    return { policies, close: () => policies.close().then(() => signal.close()) };
  };
  const [here, there] = [replica(), replica()];
  const before = await here.policies.get('n');
  const onChange = vi.fn();
  here.policies.onChange('n', onChange);
  const { version } = await there.policies.change('n', () => before, CHANGE);
  expect(await here.policies.get('n')).toEqual(before);
  expect(onChange).not.toHaveBeenCalled();
  await clock.advanceThrough(750);
  expect(await here.policies.get('n')).toMatchObject({ version });
  expect(onChange).toHaveBeenCalledTimes(1);
  expect(errors).toEqual([]);

  await here.close();
  await there.close();
  expect(clock.armed).toBe(0);
});

test('a role that was stored without groups keeps every group, and one that is put without gets its default', async () => {
  const db = database.kysely.$extendTables<PolicySchema>();
  const talker = { publish: ['a.>'], subscribe: ['>'] };
  const silent = { publish: [], subscribe: ['>'] };
  const rules = { roles: { talker, bound: { ...talker, consume: ['only'] } }, default: silent };
  await db
    .insertInto('policies')
    .values({ namespace: 'old', version: 7, rules: JSON.stringify(rules) })
    .execute();
  const signal = createLocalSignal();
  const clock = new HeldClock();
  const policies = new Policies({ db, signal, clock, onError: () => undefined });
  expect(await policies.get('old')).toEqual({
    version: 7,
    roles: { talker: { ...talker, consume: ['*'] }, bound: { ...talker, consume: ['only'] } },
    default: { ...silent, consume: ['*'] },
  });
  const { effect: _effect, ...put } = await policies.change('new', () => rules, CHANGE);
  expect(put).toEqual({
    version: 1,
    roles: {
      talker: { ...talker, consume: ['{name}', '{role}', '{role}-*'] },
      bound: { ...talker, consume: ['only'] },
    },
    default: { ...silent, consume: [] },
  });
  // Read again as it is stored.
  const other = new Policies({ db, signal, clock, onError: () => undefined });
  expect(await other.get('new')).toEqual(put);
  expect(await policies.change('old', (policy) => policy, { ...CHANGE, ifVersion: 7 })).toMatchObject({
    version: 8,
    roles: { talker: { consume: ['*'] } },
  });
  await policies.close();
  await other.close();
  await signal.close();
});
