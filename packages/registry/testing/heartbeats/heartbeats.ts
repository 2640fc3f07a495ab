// Signs of life, on every store: free until they are flushed, never back in time, and invisible to watchers.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { NOTE_INTERVAL_MS, type Reported } from '../../src/heartbeats/heartbeats.ts';
import { codeOf, heldClock, type Replicas, type Swarm, until } from '../../test/swarm.ts';

/** The version of the agent's row, which every statement that writes it changes, and when it was last seen. */
async function rowOf({ replica, namespace }: Swarm, name: string): Promise<{ version: string; seen: Date | null }> {
  const { rows } = await sql<{ version: string; seen: Date | null }>`
    select xmin::text || ctid::text as version, last_seen_at as seen from agents
    where namespace = ${namespace} and name = ${name}`.execute(replica.database.kysely);
  const [row] = rows;
  if (row === undefined) throw new Error(`there is no ${name}`);
  return row;
}

const seenAt = async (swarm: Swarm, name: string): Promise<number> => (await rowOf(swarm, name)).seen?.getTime() ?? 0;

export function heartbeatsSuite(replicas: Replicas): void {
  describe('a heartbeat', () => {
    it('writes nothing and takes no revision; closing writes it', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      const agent = await swarm.agent(await swarm.join('ada'));
      // The first one makes the agent healthy.
      await swarm.registry.heartbeats.renew(agent);
      const before = await rowOf(swarm, 'ada');
      for (let i = 0; i < 1000; i += 1) await swarm.registry.heartbeats.renew(agent);
      expect(await rowOf(swarm, 'ada')).toEqual(before);
      await swarm.replica.close();
      expect(await seenAt(there, 'ada')).toBeGreaterThan(before.seen?.getTime() ?? 0);
      expect(await there.revision()).toBe(2);
      const { status, revision, updatedAt } = await there.get('ada');
      expect(Date.parse(status.lastSeenAt ?? '')).toBe(await seenAt(there, 'ada'));
      expect(Date.parse(status.lastSeenAt ?? '')).toBeGreaterThan(Date.parse(updatedAt));
      expect(revision).toBe(2);
    });

    it('is written with the next batch, and returns when the lease ends', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ leaseMs: 300, clock });
      const watcher = swarm.watch();
      await watcher.synced();
      const agent = await swarm.agent(await swarm.join('ada'));
      // The first one makes the agent healthy.
      await swarm.registry.heartbeats.renew(agent);
      await sql`update agents set last_seen_at = last_seen_at - interval '1 minute'
        where namespace = ${swarm.namespace}`.execute(swarm.replica.database.kysely);
      const before = await seenAt(swarm, 'ada');
      const { leaseExpiresAt } = await swarm.registry.heartbeats.renew(agent);
      expect(Date.parse(leaseExpiresAt) - clock.epochMs()).toBe(300);
      await clock.advanceThrough(49);
      expect(await seenAt(swarm, 'ada')).toBe(before);
      await clock.advanceThrough(1);
      expect(await seenAt(swarm, 'ada')).toBeGreaterThan(before);
      await swarm.register('eve');
      await watcher.receives('synced', 'registered ada', 'status ada', 'registered eve');
    });

    it('never moves the time of a later one back', async () => {
      const clock = heldClock();
      const early = await replicas.swarm({ clock });
      const late = early.on(await replicas.start());
      const token = await early.join('ada');
      const agent = await early.agent(token);
      await early.registry.heartbeats.renew(agent);
      // Nothing is flushed until it is closed.
      clock.stopped = true;
      clock.advance(60_000);
      await late.registry.heartbeats.renew(await late.agent(token));
      await late.replica.close();
      const reader = early.on(await replicas.start());
      const seen = await seenAt(reader, 'ada');
      // To the replica whose clock was moved, its heartbeat was a minute ago.
      await early.replica.close();
      expect(await seenAt(reader, 'ada')).toBe(seen);
    });

    it('of an agent that was removed is refused, and changes no agent that has its name now', async () => {
      const swarm = await replicas.swarm({ leaseMs: 60 });
      const agent = await swarm.agent(await swarm.join('ada'));
      await swarm.deregister('ada');
      const { agent: anew } = await swarm.register('ada');
      expect(await codeOf(swarm.registry.heartbeats.renew(agent, { activity: 'busy' }))).toBe('UNAVAILABLE');
      expect(await swarm.get('ada')).toMatchObject({ id: anew.id, revision: 3, status: { activity: 'ready' } });
    });

    it('is kept when the store refuses the batch, and written later', async () => {
      const swarm = await replicas.swarm({ leaseMs: 120 });
      const token = await swarm.join('ada');
      const agent = await swarm.agent(token);
      const before = await seenAt(swarm, 'ada');
      const { kysely } = swarm.replica.database;
      await sql`alter table agents rename to agents_away`.execute(kysely);
      try {
        await swarm.registry.heartbeats.renew(agent);
        await until(() => expect(swarm.replica.errors.length).toBeGreaterThan(1));
      } finally {
        await sql`alter table agents_away rename to agents`.execute(kysely);
      }
      await until(async () => expect(await seenAt(swarm, 'ada')).toBeGreaterThan(before));
    });
  });

  describe('a call of an agent', () => {
    it('is a sign of life: in memory, and one statement with the next batch, however many agents call', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ leaseMs: 3000, clock });
      const names = Array.from({ length: 20 }, (_, place) => `ada-${place}`);
      const agents = await Promise.all(names.map(async (name) => swarm.agent(await swarm.join(name))));
      for (const agent of agents) await swarm.registry.heartbeats.renew(agent);
      await clock.advanceThrough(1000);
      const rowsNow = async () => {
        const { rows } = await sql<{ version: string; written: string }>`
          select xmin::text || ctid::text as version, xmin::text as written from agents
          where namespace = ${swarm.namespace} order by name`.execute(swarm.replica.database.kysely);
        return rows;
      };
      const before = await rowsNow();
      for (let call = 0; call < 500; call += 1) for (const agent of agents) swarm.registry.heartbeats.noteCall(agent);
      expect(await rowsNow()).toEqual(before);
      await clock.advanceThrough(500);
      const after = await rowsNow();
      expect(new Set(after.map(({ written }) => written)).size).toBe(1);
      expect(after[0]?.written).not.toBe(before[0]?.written);
    });

    it('makes the agent healthy when it is written, as a heartbeat does at once', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ leaseMs: 3000, clock });
      const agent = await swarm.agent(await swarm.join('ada'));
      swarm.registry.heartbeats.noteCall(agent);
      expect((await swarm.get('ada')).status.health).toBe('unknown');
      await clock.advanceThrough(500);
      expect((await swarm.get('ada')).status.health).toBe('healthy');
      expect(await swarm.revision()).toBe(2);
    });
  });

  describe('an activity', () => {
    it('is one status change, at most once a second; the next heartbeat writes what was left out', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ clock });
      const token = await swarm.join('ada');
      const watcher = swarm.watch();
      await watcher.synced();
      const report = async (activity: 'ready' | 'busy' | 'paused') =>
        void (await swarm.registry.heartbeats.renew(await swarm.agent(token), { activity }));
      await report('ready');
      await clock.advanceThrough(1000);
      await report('busy');
      await report('busy');
      await report('paused');
      expect(await swarm.get('ada')).toMatchObject({ revision: 3, specRevision: 1, status: { activity: 'busy' } });
      await clock.advanceThrough(1000);
      await report('paused');
      expect(await swarm.get('ada')).toMatchObject({ revision: 4, specRevision: 1, status: { activity: 'paused' } });
      expect(await swarm.mirrored(token)).toMatchObject({ revision: 4, activity: 'paused' });
      await watcher.receives('synced', 'status ada', 'status ada', 'status ada');
    });

    it('ends with the process that reported it', async () => {
      const swarm = await replicas.swarm();
      const agent = await swarm.agent(await swarm.join('ada'));
      await swarm.registry.heartbeats.renew(agent, { activity: 'draining' });
      const { agent: taken } = await swarm.register('ada', { incarnation: '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f' });
      expect(taken.status.activity).toBe('ready');
    });
  });

  describe('a note', () => {
    it('is shown with the activity that it comes with, stays until it is replaced, and is cleared by null', async () => {
      const swarm = await replicas.swarm();
      const token = await swarm.join('ada');
      const renew = async (reported: Reported) =>
        void (await swarm.registry.heartbeats.renew(await swarm.agent(token), reported));
      await renew({ activity: 'waiting', note: 'for the build' });
      expect((await swarm.get('ada')).status).toMatchObject({ activity: 'waiting', note: 'for the build' });
      expect(await swarm.mirrored(token)).toMatchObject({ note: 'for the build' });
      await renew({ activity: 'waiting' });
      expect((await swarm.get('ada')).status).toMatchObject({ note: 'for the build' });
      await renew({ note: null });
      expect(await swarm.get('ada')).toMatchObject({ revision: 3, status: { activity: 'waiting', note: null } });
      const there = swarm.on(await replicas.start());
      expect(await there.mirrored(token)).toMatchObject({ note: null, activity: 'waiting' });
    });

    it('that alone changes is one status change in 5 s at most, and the last one is shown in the end', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ clock });
      const agent = await swarm.agent(await swarm.join('ada'));
      const watcher = swarm.watch();
      await watcher.synced();
      const { heartbeats } = swarm.registry;
      await heartbeats.renew(agent);
      await heartbeats.renew(agent, { note: 'one' });
      for (const note of ['two', 'three', 'four']) {
        await clock.advanceThrough(1000);
        await heartbeats.renew(agent, { note });
      }
      expect(await swarm.get('ada')).toMatchObject({ revision: 3, status: { note: 'one' } });
      await clock.advanceThrough(NOTE_INTERVAL_MS - 3000);
      await until(async () => expect(await swarm.get('ada')).toMatchObject({ revision: 4, status: { note: 'four' } }));
      // A note that is late comes with the next activity, once.
      await heartbeats.renew(agent, { note: 'five' });
      await heartbeats.renew(agent, { activity: 'blocked' });
      expect(await swarm.get('ada')).toMatchObject({ revision: 5, status: { activity: 'blocked', note: 'five' } });
      // One that is taken back meanwhile is not shown.
      await heartbeats.renew(agent, { note: 'six' });
      await heartbeats.renew(agent, { note: 'five' });
      await clock.advanceThrough(2 * NOTE_INTERVAL_MS);
      expect(await swarm.get('ada')).toMatchObject({ revision: 5, status: { note: 'five' } });
      await until(() => expect(watcher.changes.map(({ change }) => change)).toEqual(Array(4).fill('status')));
    });

    it('ends with the process that reported it, and is forgotten when the agent goes', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ clock });
      const agent = await swarm.agent(await swarm.join('ada'));
      const { heartbeats } = swarm.registry;
      await heartbeats.renew(agent, { note: 'one' });
      await heartbeats.renew(agent, { note: 'two' });
      const { agent: taken } = await swarm.register('ada', { incarnation: '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f' });
      expect(taken.status.note).toBeNull();
      await swarm.deregister('ada');
      await clock.advanceThrough(NOTE_INTERVAL_MS);
      expect(swarm.replica.errors).toEqual([]);
    });
  });

  describe('the time since which an agent has its activity', () => {
    it('begins with its process, and again with each change of the activity, and of nothing else', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ clock });
      const { agent, token } = await swarm.register('ada');
      expect(agent.status.activitySince).toBe(agent.registeredAt);
      const report = async (reported: Reported) => {
        await clock.advanceThrough(NOTE_INTERVAL_MS);
        await swarm.registry.heartbeats.renew(await swarm.agent(token ?? ''), reported);
        return swarm.get('ada');
      };
      // It becomes healthy, and says more.
      expect((await report({ note: 'x' })).status.activitySince).toBe(agent.registeredAt);
      const blocked = await report({ activity: 'blocked' });
      expect(blocked.status.activitySince).toBe(blocked.updatedAt);
      expect((await report({ activity: 'blocked', note: 'y' })).status.activitySince).toBe(blocked.updatedAt);
      const { agent: updated } = await swarm.register('ada', { version: '2.0.0' });
      expect(updated.status).toMatchObject({ activity: 'blocked', activitySince: blocked.updatedAt });
      const { agent: taken } = await swarm.register('ada', { incarnation: '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f' });
      expect(taken.status).toMatchObject({ activity: 'ready', activitySince: taken.updatedAt });
      // As it is stored, and as this replica made it known.
      expect((await swarm.get('ada')).status).toEqual({ ...taken.status, lastSeenAt: expect.any(String) as string });
      const { changes } = await swarm.history('ada');
      expect(changes[0]?.agent.status.activitySince).toBe(taken.updatedAt);
    });
  });
}
