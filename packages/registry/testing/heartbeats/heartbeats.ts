// Signs of life, on every store: free until they are flushed, never back in time, and invisible to watchers.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
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
      await swarm.registry.heartbeats.renew(agent, undefined);
      const before = await rowOf(swarm, 'ada');
      for (let i = 0; i < 1000; i += 1) await swarm.registry.heartbeats.renew(agent, undefined);
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
      await swarm.registry.heartbeats.renew(agent, undefined);
      await sql`update agents set last_seen_at = last_seen_at - interval '1 minute'
        where namespace = ${swarm.namespace}`.execute(swarm.replica.database.kysely);
      const before = await seenAt(swarm, 'ada');
      const { leaseExpiresAt } = await swarm.registry.heartbeats.renew(agent, undefined);
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
      await early.registry.heartbeats.renew(agent, undefined);
      // Nothing is flushed until it is closed.
      clock.stopped = true;
      clock.advance(60_000);
      await late.registry.heartbeats.renew(await late.agent(token), undefined);
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
      expect(await codeOf(swarm.registry.heartbeats.renew(agent, 'busy'))).toBe('UNAVAILABLE');
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
        await swarm.registry.heartbeats.renew(agent, undefined);
        await until(() => expect(swarm.replica.errors.length).toBeGreaterThan(1));
      } finally {
        await sql`alter table agents_away rename to agents`.execute(kysely);
      }
      await until(async () => expect(await seenAt(swarm, 'ada')).toBeGreaterThan(before));
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
        void (await swarm.registry.heartbeats.renew(await swarm.agent(token), activity));
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
      await swarm.registry.heartbeats.renew(agent, 'draining');
      const { agent: taken } = await swarm.register('ada', { incarnation: '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f' });
      expect(taken.status.activity).toBe('ready');
    });
  });
}
