// Policies that another replica has changed.
import { HeldClock } from '@hypercode/clock/testing';
import { migrate, openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { createLocalSignal } from '@hypercode/feed';
import { expect, test, vi } from 'vitest';
import { busSchema } from '../../src/database-schema.ts';
import { Policies } from '../../src/policies/policies.ts';
import type { PolicySchema } from '../../src/policies/policy-table.ts';

test('a policy that was changed without a wake-up is in force after the next check', { timeout: 180_000 }, async () => {
  const folder = await migratedFolder('policies', [busSchema]);
  const database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, [busSchema]);
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
  const { version } = await there.policies.put('n', before, undefined);
  expect(await here.policies.get('n')).toEqual(before);
  expect(onChange).not.toHaveBeenCalled();
  await clock.advanceThrough(750);
  expect(await here.policies.get('n')).toMatchObject({ version });
  expect(onChange).toHaveBeenCalledTimes(1);
  expect(errors).toEqual([]);

  await here.close();
  await there.close();
  expect(clock.armed).toBe(0);
  await database.close();
  await folder.remove();
});
