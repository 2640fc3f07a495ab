// Checks for changed policies while the database is busy or away: however often they are asked for, one waits.
import { migrate, openDatabase } from '@hypercode/stores';
import { createLocalSignal } from '@hypercode/feed';
import { embeddedFolder } from '@hypercode/testkit';
import { setImmediate } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { busSchema } from '../../src/database-schema.ts';
import { Policies } from '../../src/policies/policies.ts';
import type { PolicySchema } from '../../src/policies/policy-table.ts';

test('checks do not queue up while the database does not answer', { timeout: 180_000 }, async () => {
  const folder = await embeddedFolder('policies');
  const database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, [busSchema]);
  const db = database.kysely.$extendTables<PolicySchema>();
  const signal = createLocalSignal();
  const errors: unknown[] = [];
  const policies = new Policies({ db, signal, onError: (error) => errors.push(error) });
  await policies.get('n');

  const asked = vi.spyOn(db, 'selectFrom');
  const { promise: over, resolve: release } = Promise.withResolvers<void>();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const busy = database.kysely.transaction().execute(() => (hold(), over));
  await held;
  for (let wakes = 0; wakes < 50; wakes += 1) {
    signal.notify('bus-policies');
    await setImmediate();
  }
  release();
  await busy;
  // The database takes queries in their order, so a check that was queued has its turn among these.
  for (let turns = 0; turns < 100; turns += 1) await database.ping();
  expect(asked.mock.calls.length).toBeLessThan(10);
  expect(errors).toEqual([]);

  await policies.close();
  await signal.close();
  await database.close();
  await folder.remove();
});
