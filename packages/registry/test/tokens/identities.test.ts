// Operators' tokens that another replica has revoked.
import { HeldClock } from '@hypercode/clock/testing';
import { migrate, openDatabase } from '@hypercode/stores';
import { createLocalSignal } from '@hypercode/feed';
import { embeddedFolder } from '@hypercode/testkit';
import { expect, it } from 'vitest';
import { ChangeLog } from '../../src/changes/change-log.ts';
import { registrySchema } from '../../src/database-schema.ts';
import { systemClock } from '../../src/clock.ts';
import type { Schema } from '../../src/schema.ts';
import { Identities } from '../../src/tokens/identities.ts';
import { deleteToken, insertToken } from '../../src/tokens/queries/operator-tokens.ts';
import { mintToken } from '../../src/tokens/token-format.ts';

it('a token that was revoked without a wake-up ends with the next check', { timeout: 180_000 }, async () => {
  const folder = await embeddedFolder('identities');
  const database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, [registrySchema]);
  const db = database.kysely.$extendTables<Schema>();
  const signal = createLocalSignal();
  const errors: unknown[] = [];
  const onError = (error: unknown) => errors.push(error);
  const held = new HeldClock();
  const clock = { ...systemClock, schedule: held.schedule };
  const changes = new ChangeLog({ db, signal, clock, onError });
  const identities = new Identities({ db, changes, signal, staticTokens: [], clock, onError });
  const { token, hash } = mintToken('viewer');
  const id = crypto.randomUUID();
  const rest = { roles: null, expiresInMs: null, maxUses: null };
  await insertToken(db, { hash, id, kind: 'viewer', namespace: 'n', name: 'v', ...rest });
  await held.advanceThrough(750);
  const identity = await identities.recognise(token);
  await deleteToken(db, 'n', id);
  expect(await identities.recognise(token)).toBe(identity);
  await held.advanceThrough(750);
  await expect(identities.recognise(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(identity.refusal?.code).toBe('UNAUTHENTICATED');
  expect(errors).toEqual([]);

  await identities.close();
  await changes.close();
  await signal.close();
  expect(held.armed).toBe(0);
  await database.close();
  await folder.remove();
});
