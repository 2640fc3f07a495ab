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
  // An agent is admitted by it, so it is kept.
  await here.policies.accessOf('n', 'worker', 'ada');
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

test('a change that lost a race is compared with every agent again', async () => {
  const db = database.kysely.$extendTables<PolicySchema>();
  const signal = createLocalSignal();
  const policies = new Policies({ db, signal, clock: new HeldClock(), onError: () => undefined });
  const all = { publish: ['>'], subscribe: ['>'] };
  await policies.change('race', () => ({ roles: {}, default: all }), CHANGE);
  let reads = 0;
  const agents = async function* () {
    reads += 1;
    // Another change comes between the first read and the write.
    if (reads === 1) await policies.change('race', ({ roles }) => ({ roles, default: all }), CHANGE);
    yield [{ name: 'ada', role: 'worker', topics: { publishes: ['a'], subscribes: [] }, capabilities: [] }];
  };
  const nothing = { publish: [], subscribe: [] };
  const changed = await policies.change('race', () => ({ roles: {}, default: nothing }), { ...CHANGE, agents });
  expect(changed).toMatchObject({ version: 3, effect: { agents: { total: 1 }, complete: true } });
  expect(reads).toBe(2);
  await policies.close();
  await signal.close();
});

test('the history has the version that another release put, and pages of it are bounded', async () => {
  const db = database.kysely.$extendTables<PolicySchema>();
  const signal = createLocalSignal();
  const policies = new Policies({ db, signal, clock: new HeldClock(), onError: () => undefined });
  const patterns = Array.from({ length: 200 }, (_, index) => `topic-${index}.${'x'.repeat(240)}`);
  const large = { publish: patterns, subscribe: patterns };
  const rules = {
    roles: Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`role-${index}`, large])),
    default: large,
  };
  await db
    .insertInto('policies')
    .values({ namespace: 'kept', version: 1, rules: JSON.stringify(rules) })
    .execute();
  for (let count = 0; count < 3; count += 1) await policies.change('kept', (policy) => policy, CHANGE);
  const first = await policies.history('kept', { limit: 100, cursor: undefined });
  expect(first.versions.map(({ version, by }) => [version, by])).toEqual([[4, CHANGE.by]]);
  const others = [];
  for (let cursor = first.nextCursor; cursor !== null;) {
    const page = await policies.history('kept', { limit: 100, cursor });
    others.push(...page.versions.map(({ version, by }) => [version, by]));
    cursor = page.nextCursor;
  }
  expect(others).toEqual([
    [3, CHANGE.by],
    [2, CHANGE.by],
    [1, null],
  ]);
  await policies.close();
  await signal.close();
});
