// Checks of operators' tokens while the database is busy or away: however often they are asked for, one waits.
import { migrate, openDatabase } from '@hypercode/stores';
import { createLocalSignal } from '@hypercode/feed';
import { embeddedFolder } from '@hypercode/testkit';
import { setImmediate } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { ChangeLog } from '../../src/changes/change-log.ts';
import { registrySchema } from '../../src/database-schema.ts';
import { systemClock } from '../../src/clock.ts';
import type { Schema } from '../../src/schema.ts';
import { Identities } from '../../src/tokens/identities.ts';
import { insertToken } from '../../src/tokens/queries/operator-tokens.ts';
import { mintToken } from '../../src/tokens/token-format.ts';

it('checks do not queue up while the database does not answer', { timeout: 180_000 }, async () => {
  const folder = await embeddedFolder('identities');
  const database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, [registrySchema]);
  const db = database.kysely.$extendTables<Schema>();
  const signal = createLocalSignal();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const changes = new ChangeLog({ db, signal, onError });
  const identities = new Identities({ db, changes, signal, staticTokens: [], clock: systemClock, onError });
  const { token, hash } = mintToken('viewer');
  const roles = { roles: null, expiresInMs: null, maxUses: null };
  await insertToken(db, { hash, id: crypto.randomUUID(), kind: 'viewer', namespace: 'n', name: 'v', ...roles });
  await identities.recognise(token);

  const asked = vi.spyOn(db, 'selectFrom');
  const { promise: over, resolve: release } = Promise.withResolvers<void>();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const busy = database.kysely.transaction().execute(() => (hold(), over));
  await held;
  for (let wakes = 0; wakes < 50; wakes += 1) {
    identities.revoked('another');
    await setImmediate();
  }
  release();
  await busy;
  // The database takes queries in their order, so a check that was queued has its turn among these.
  for (let turns = 0; turns < 100; turns += 1) await database.ping();
  expect(asked.mock.calls.length).toBeLessThan(10);
  expect(errors).toEqual([]);

  await identities.close();
  await changes.close();
  await signal.close();
  await database.close();
  await folder.remove();
});
