// Identities by themselves: tokens that another replica has revoked, and tokens that were dropped from memory.
import { systemClock } from '@hypercode/clock';
import { HeldClock } from '@hypercode/clock/testing';
import { type Database, migrate, openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { createLocalSignal } from '@hypercode/feed';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { ChangeLog } from '../../src/changes/change-log.ts';
import { registrySchema } from '../../src/database-schema.ts';
import type { Schema } from '../../src/schema.ts';
import { AgentMirror } from '../../src/tokens/agent-mirror.ts';
import { Identities, type IdentitiesOptions } from '../../src/tokens/identities.ts';
import { deleteToken, insertToken, listTokens } from '../../src/tokens/queries/operator-tokens.ts';
import { mintToken } from '../../src/tokens/token-format.ts';
import { TokenUses } from '../../src/tokens/token-uses.ts';

let database: Database;
let closeDatabase: () => Promise<void>;

beforeAll(async () => {
  const folder = await migratedFolder('identities', [registrySchema]);
  database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, [registrySchema]);
  closeDatabase = async () => {
    await database.close();
    await folder.remove();
  };
}, 180_000);
afterAll(() => closeDatabase());

const db = () => database.kysely.$extendTables<Schema>();

/** Identities whose timers run when the test says so. */
function openIdentities(more: Partial<IdentitiesOptions> = {}): { identities: Identities; held: HeldClock } {
  const held = new HeldClock();
  const errors: unknown[] = [];
  const signal = createLocalSignal();
  const clock = { ...systemClock, schedule: held.schedule };
  const onError = (error: unknown) => void errors.push(error);
  const background = { db: db(), signal, clock, leaseMs: 60_000, onError };
  const changes = new ChangeLog(background);
  const mirror = new AgentMirror();
  const uses = new TokenUses(clock);
  const identities = new Identities({ ...background, changes, mirror, staticTokens: [], uses, ...more });
  onTestFinished(async () => {
    await identities.close();
    await changes.close();
    await signal.close();
    expect(held.armed).toBe(0);
    expect(errors).toEqual([]);
  });
  return { identities, held };
}

async function viewerToken(): Promise<{ id: string; token: string }> {
  const { token, hash } = mintToken('viewer');
  const id = crypto.randomUUID();
  const unlimited = { roles: null, names: null, expiresInMs: null, maxUses: null };
  await insertToken(db(), { hash, id, kind: 'viewer', namespace: 'n', name: 'v', ...unlimited });
  return { id, token };
}

it('a token that was revoked without a wake-up ends with the next check', async () => {
  const { identities, held } = openIdentities();
  const { id, token } = await viewerToken();
  await held.advanceThrough(750);
  const identity = await identities.recognise(token);
  await deleteToken(db(), 'n', id);
  expect(await identities.recognise(token)).toBe(identity);
  await held.advanceThrough(750);
  await expect(identities.recognise(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(identity.refusal?.code).toBe('UNAUTHENTICATED');
});

it('a token that was dropped and learnt again stays known when the listener of its former identity has left', async () => {
  const { identities } = openIdentities({ maxKnown: 1 });
  const { id, token } = await viewerToken();
  const first = await identities.recognise(token);
  const endListening = first.onEnd(() => undefined);
  await identities.recognise((await viewerToken()).token);
  const second = await identities.recognise(token);
  expect(second).not.toBe(first);
  endListening();
  identities.released(first);
  identities.revoked(id);
  expect(second.refusal?.code).toBe('UNAUTHENTICATED');
  expect(first.refusal).toBeNull();
});

it('notes the last use of a token that an admin created, at most once a minute', async () => {
  const time = new HeldClock();
  const uses = new TokenUses(time);
  const { identities } = openIdentities({ uses });
  const { token, hash } = mintToken('viewer');
  const id = systemClock.newId();
  const viewer = { hash, id, kind: 'viewer' as const, namespace: 'used', name: 'v', roles: null, names: null };
  await insertToken(db(), { ...viewer, expiresInMs: null, maxUses: null });
  const write = async () => {
    const part = uses.take();
    if (part !== null) await sql`with part as (${part}) select 1`.execute(db());
    return part !== null;
  };
  const lastUsedAt = async () =>
    (await listTokens(db(), 'used')).find((listed) => listed.id === id)?.lastUsedAt ?? null;
  expect(await write()).toBe(false);
  expect(await lastUsedAt()).toBeNull();
  await identities.recognise(token);
  expect(await write()).toBe(true);
  const first = await lastUsedAt();
  expect(Math.abs(Date.parse(first ?? '') - systemClock.epochMs())).toBeLessThan(10_000);
  time.advance(59_999);
  await identities.recognise(token);
  expect(await write()).toBe(false);
  time.advance(1);
  await identities.recognise(token);
  // What could not be written is written by the next report.
  expect(uses.take()).not.toBeNull();
  uses.failed();
  expect(await write()).toBe(true);
  expect(Date.parse((await lastUsedAt()) ?? '')).toBeGreaterThan(Date.parse(first ?? ''));
});
