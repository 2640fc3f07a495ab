// How a replica follows change logs on a real database: nothing waits for a poll, and nothing is kept for ever.
import { systemClock } from '@hypercode/clock';
import { HeldClock } from '@hypercode/clock/testing';
import { createLocalSignal } from '@hypercode/feed';
import { type Database, migrate, openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import type { Kysely, QueryResult, UnknownRow } from 'kysely';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { ChangeLog } from '../../src/changes/change-log.ts';
import { registrySchema } from '../../src/database-schema.ts';
import { createRegistry } from '../../src/create-registry.ts';
import type { Schema } from '../../src/schema.ts';
import { AgentMirror } from '../../src/tokens/agent-mirror.ts';
import { Identities } from '../../src/tokens/identities.ts';
import { ADMIN } from '../swarm.ts';

let database: Database;
let closeDatabase: () => Promise<void>;

beforeAll(async () => {
  const folder = await migratedFolder('change-log', [registrySchema]);
  database = await openDatabase({ dataDir: folder.path });
  await migrate(database.kysely, [registrySchema]);
  closeDatabase = async () => {
    await database.close();
    await folder.remove();
  };
}, 60_000);
afterAll(() => closeDatabase());

/** A replica whose clock stands still: it polls when the test says so. */
function follow(db: Kysely<Schema> = database.kysely.$extendTables<Schema>()) {
  const clock = new HeldClock();
  const signal = createLocalSignal();
  const errors: unknown[] = [];
  const changes = new ChangeLog({ db, signal, clock, leaseMs: 60_000, onError: (error) => errors.push(error) });
  onTestFinished(async () => {
    await changes.close();
    await signal.close();
    expect(errors).toEqual([]);
    expect(clock.armed).toBe(0);
  });
  return { changes, clock, signal };
}

/** Another replica on the same database. */
function otherReplica() {
  const signal = createLocalSignal();
  const registry = createRegistry({
    database,
    signal,
    clock: systemClock,
    mirror: new AgentMirror(),
    notices: {},
    staticTokens: [],
    tokenNameRestMs: 0,
    leaseMs: 60_000,
    retention: { maxChanges: 1000, maxAgeMs: 86_400_000 },
    onError: () => undefined,
  });
  onTestFinished(async () => {
    await registry.close();
    await signal.close();
  });
  return {
    registry,
    register: (namespace: string, name: string) => {
      const fields = { role: 'worker', version: '1.0.0', capabilities: [], labels: {} };
      const topics = { publishes: [], subscribes: [] };
      return registry.registrations.register({ namespace, name, ...fields, topics }, ADMIN);
    },
  };
}

/** The database as it is, but for answers that the test holds back after they have come. */
function holdingBack() {
  let gate: Promise<void> = Promise.resolve();
  let queries = 0;
  let held = 0;
  const db = database.kysely.$extendTables<Schema>().withPlugin({
    transformQuery: ({ node }) => {
      queries += 1;
      return node;
    },
    transformResult: async ({ result }): Promise<QueryResult<UnknownRow>> => {
      held += 1;
      await gate;
      held -= 1;
      return result;
    },
  });
  const hold = () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    gate = promise;
    return resolve;
  };
  return { db, hold, queries: () => queries, held: () => held };
}

test('a change committed while a feed starts is read at once, and not with the next poll', async () => {
  const { db, hold, queries, held } = holdingBack();
  const { changes, signal } = follow(db);
  const { register } = otherReplica();
  let release = hold();
  const following = changes.follow('starting');
  // The head, then the first page, which is empty: both have been answered when the change is committed.
  await vi.waitFor(() => expect([queries(), held()]).toEqual([1, 1]), { timeout: 10_000 });
  const releasePage = hold();
  release();
  await vi.waitFor(() => expect([queries(), held()]).toEqual([2, 1]), { timeout: 10_000 });
  await register('starting', 'a');
  signal.notify('registry:starting');
  await Promise.resolve();
  release = hold();
  releasePage();
  const { feed } = await following;
  // It is being read already, although the clock stands still.
  expect(queries()).toBe(3);
  release();
  await vi.waitFor(() => expect(feed.end).toBe(1));
});

test('the feed and the broadcasts of a namespace that was not used for a minute are released', async () => {
  const { changes, clock, signal } = follow();
  const { register } = otherReplica();
  const listeners = vi.fn();
  const subscribe = vi.spyOn(signal, 'subscribe').mockImplementation(() => listeners);
  const idle = await changes.follow('idle');
  const used = await changes.follow('used');
  const release = used.use();
  for (let polls = 0; polls < 61; polls += 1) await clock.advanceThrough(1000);
  expect([idle.feed.closed, used.feed.closed]).toEqual([true, false]);
  expect(listeners).toHaveBeenCalledTimes(1);
  expect(subscribe).toHaveBeenCalledTimes(2);
  // Followed anew, with everything that came meanwhile.
  await register('idle', 'a');
  const again = await changes.follow('idle');
  expect(again).not.toBe(idle);
  expect(again.feed.end).toBe(1);
  release();
});

test("an agent's token keeps its namespace followed while it is used, and is looked up again after that", async () => {
  const db = database.kysely.$extendTables<Schema>();
  const { changes, clock: held, signal } = follow(db);
  const clock = { ...systemClock, schedule: held.schedule };
  const identities = new Identities({
    db,
    changes,
    uses: { note: () => undefined },
    mirror: new AgentMirror(),
    signal,
    leaseMs: 60_000,
    staticTokens: [],
    clock,
    onError: () => undefined,
  });
  onTestFinished(() => identities.close());
  const { register, registry } = otherReplica();
  const { token = '' } = await register('tokens', 'a');
  const identity = await identities.recognise(token);
  // A stream that listens to the token is a use, however long it is idle.
  const onEnd = vi.fn();
  const release = identity.onEnd(onEnd);
  await held.advanceThrough(120_000);
  release();
  identities.released(identity);
  for (let calls = 0; calls < 3; calls += 1) {
    await held.advanceThrough(40_000);
    expect(await identities.recognise(token)).toBe(identity);
  }
  await held.advanceThrough(61_000);
  expect(changes.running.size).toBe(0);
  expect(await identities.recognise(token)).not.toBe(identity);
  expect(onEnd).not.toHaveBeenCalled();
  await held.advanceThrough(61_000);
  await registry.registrations.deregister({ namespace: 'tokens', name: 'a' });
  await expect(identities.recognise(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
});
