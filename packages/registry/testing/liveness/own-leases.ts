// Leases of agents' own on every store: when they are written, missed and expired, and the guard over leases that differ.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { codeOf, type Swarm, until } from '../../test/swarm.ts';
import { type LivenessFixture, LIVENESS } from './fixture.ts';

const CORE_MS = 30_000;
const MINUTE_MS = 60_000;
/** A check of all leases, with the flush before it. */
const SETTLED_MS = CORE_MS / 3;

export function ownLeasesSuite({
  time,
  replicas,
  settings,
  sendHeartbeat,
  startHeartbeats,
  statusOf,
  shownOf,
  guardedSwarm,
}: LivenessFixture): void {
  const core = { leaseMs: CORE_MS };
  /** As if so much time had passed: the times of the agent are moved, since to let it pass takes thousands of checks. */
  const age = async ({ replica, namespace }: Swarm, ms: number, names: readonly string[]): Promise<void> => {
    await sql`update agents set last_seen_at = last_seen_at - ${ms} * interval '1 millisecond',
      doc = jsonb_set(doc, '{registeredAt}', to_jsonb(to_char((doc ->> 'registeredAt')::timestamptz at time zone 'UTC'
        - ${ms} * interval '1 millisecond', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')))
      where namespace = ${namespace} and name = any(${names}::text[])`.execute(replica.database.kysely);
  };

  describe("an agent's own lease", () => {
    it('is shown, and may be changed and given back', async () => {
      const swarm = await replicas.swarm(settings(core));
      const there = swarm.on(await replicas.start(settings({ leaseMs: 2 * CORE_MS })));
      const watcher = swarm.watch();
      await watcher.synced();
      expect((await swarm.register('ada', { leaseMs: 600_000 })).agent.leaseMs).toBe(600_000);
      expect((await swarm.register('eve')).agent.leaseMs).toBe(CORE_MS);
      const token = await swarm.join('ada', { leaseMs: 600_000 });
      expect(await swarm.registry.heartbeats.renew(await swarm.agent(token))).toMatchObject({ leaseMs: 600_000 });
      expect((await there.get('ada')).leaseMs).toBe(600_000);
      // Of one that asked for none, each core says what it judges by.
      expect((await there.get('eve')).leaseMs).toBe(2 * CORE_MS);
      const { revision, specRevision } = await swarm.get('ada');
      const updated = await swarm.update('ada', { leaseMs: 5000 }, specRevision);
      expect(updated).toMatchObject({ leaseMs: 5000, specRevision: updated.revision });
      expect(updated.revision).toBeGreaterThan(revision);
      expect(await there.mirrored(token)).toMatchObject({ leaseMs: 5000 });
      expect(await swarm.registry.heartbeats.renew(await swarm.agent(token))).toMatchObject({ leaseMs: 5000 });
      expect((await swarm.update('ada', { version: '2.0.0' })).leaseMs).toBe(5000);
      expect((await swarm.update('ada', { leaseMs: null })).leaseMs).toBe(CORE_MS);
      await swarm.update('ada', { leaseMs: 7000 });
      const { agent, outcome } = await swarm.register('ada', { version: '2.0.0' });
      expect({ outcome, leaseMs: agent.leaseMs }).toEqual({ outcome: 'updated', leaseMs: CORE_MS });
      await until(() => expect(watcher.changes.at(-1)?.agent).toMatchObject({ name: 'ada', leaseMs: CORE_MS }));
    });

    it('of ten minutes is kept by a call every nine; without one the agent is unhealthy in time, and expires an hour after', async () => {
      const swarm = await replicas.swarm(settings({ ...core, liveness: { ...LIVENESS, expireAfterMs: 3_600_000 } }));
      const token = await swarm.join('ada', { leaseMs: 10 * MINUTE_MS });
      await sendHeartbeat(swarm, token);
      await time.advance(SETTLED_MS);
      // Longer ago than the grace of a core that has just begun.
      await time.advance(10 * MINUTE_MS);
      for (let call = 0; call < 3; call += 1) {
        swarm.registry.heartbeats.noteCall(await swarm.agent(token));
        await time.advance(SETTLED_MS);
        await age(swarm, 9 * MINUTE_MS - 2 * SETTLED_MS, ['ada']);
        await time.advance(SETTLED_MS);
        expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy', circuit: 'closed' });
      }
      swarm.registry.heartbeats.noteCall(await swarm.agent(token));
      await time.advance(SETTLED_MS);
      await age(swarm, 10 * MINUTE_MS - SETTLED_MS, ['ada']);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
      await time.advance(2 * SETTLED_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({
        health: 'unhealthy',
        circuit: 'closed',
        reason: 'missed its lease of 600 s',
      });
      // Silent for ten minutes and what has been moved on since; an hour after the end of the lease it is removed.
      await age(swarm, 59 * MINUTE_MS, ['ada']);
      await time.advance(SETTLED_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy' });
      await age(swarm, MINUTE_MS, ['ada']);
      await time.advance(SETTLED_MS);
      expect(await codeOf(swarm.get('ada'))).toBe('NOT_FOUND');
      expect((await shownOf(swarm, 'ada')).map(({ change }) => change)).toContain('expired');
    });

    it('of 5 s is written and judged more often than that of the core', async () => {
      const swarm = await replicas.swarm(settings(core));
      const stop = await startHeartbeats(swarm, await swarm.join('ada', { leaseMs: 5000 }), 5000);
      // The grace of a core that has just begun.
      await time.advance(SETTLED_MS);
      const { lastSeenAt } = await statusOf(swarm, 'ada');
      expect(time.now - Date.parse(lastSeenAt ?? '')).toBeLessThan(5000 / 3 + 5000 / 6);
      stop();
      await time.advance(5000);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
      await time.advance(2 * (5000 / 6) + 1025);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy', reason: 'missed its lease of 5 s' });
      await time.advance(3 * 5000);
      expect((await shownOf(swarm, 'ada')).map(({ circuit }) => circuit)).toContain('open');
    });
  });

  describe('the mass-failure guard over leases that differ', () => {
    const leases = { short: 5000, middle: CORE_MS, long: 10 * MINUTE_MS } as const;
    const names = Object.keys(leases).flatMap((kind) => [0, 1, 2, 3].map((place) => `${kind}-${place}`));

    it('holds before an agent is tripped, when all vanish at once, and then for all of them', async () => {
      const { swarm, notices, numbers } = await guardedSwarm(core);
      const stops = [];
      for (const name of names) {
        const leaseMs = leases[name.split('-')[0] as keyof typeof leases];
        stops.push(await startHeartbeats(swarm, await swarm.join(name, { leaseMs }), leaseMs));
      }
      await time.advance(SETTLED_MS);
      // Each has lived for long enough to count.
      await age(swarm, 60 * MINUTE_MS, names);
      for (const name of names) expect(await statusOf(swarm, name)).toMatchObject({ health: 'healthy' });
      await time.advance(SETTLED_MS);
      for (const stop of stops) stop();
      const expectNoneTripped = async () => {
        const open = (await swarm.all()).filter(({ status }) => status.circuit !== 'closed').map(({ name }) => name);
        expect(open).toEqual([]);
      };
      for (let step = 0; step < 12 && notices.length === 0; step += 1) {
        await time.advance(5000);
        await expectNoneTripped();
      }
      expect(notices).toEqual(['suspended']);
      // Those with a lease of ten minutes do not count.
      expect(numbers).toEqual([{ healthyBefore: 8, failing: 8 }]);
      await age(swarm, 10 * MINUTE_MS, names);
      await time.advance(2 * SETTLED_MS);
      expect(notices).toEqual(['suspended']);
      await expectNoneTripped();
    });
  });
}
