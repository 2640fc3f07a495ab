// Leases on every store: when they are missed, when agents expire, and what a core that was stopped does.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { DUTY_MS } from '../../src/liveness/judge.ts';
import { codeOf, until } from '../../test/swarm.ts';
import {
  LEASE_MS,
  FLUSH_MS,
  MISSED_MS,
  CHECK_MS,
  OPEN_MS,
  STEP_MS,
  LIVENESS,
  type LivenessFixture,
} from './fixture.ts';

export function leasesSuite({
  replicas,
  time,
  settings,
  startStoppable,
  sendHeartbeat,
  startHeartbeats,
  startHealthy,
  statusOf,
  untilStatus,
  shownOf,
}: LivenessFixture): void {
  describe('a lease', () => {
    it('makes an agent healthy with the first heartbeat, unhealthy when it is missed, and healthy again', async () => {
      const swarm = await replicas.swarm(settings());
      const token = await swarm.join('ada');
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unknown' });
      await sendHeartbeat(swarm, token);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
      // The grace of a replica that has just begun, and a heartbeat.
      await time.advance(LEASE_MS);
      await sendHeartbeat(swarm, token);
      await time.advance(MISSED_MS - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy', circuit: 'closed' });
      await time.advance(CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy', circuit: 'closed' });
      expect((await statusOf(swarm, 'ada')).reason).toContain('missed its lease of 3 s');
      await sendHeartbeat(swarm, token);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
    });

    it('opens the circuit with the fourth miss, and heartbeats close it again', async () => {
      const swarm = await replicas.swarm(settings());
      const there = swarm.on(await replicas.start(settings()));
      const token = await swarm.join('ada');
      await time.advance(2 * LEASE_MS);
      await sendHeartbeat(swarm, token);
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy', circuit: 'closed' });
      await time.advance(CHECK_MS);
      const opened = { health: 'unhealthy', circuit: 'open', consecutiveFailures: 4 };
      expect(await statusOf(swarm, 'ada')).toMatchObject(opened);
      expect((await statusOf(swarm, 'ada')).reason).toContain('missed 4 leases');
      await until(async () => expect(await there.mirrored(token)).toMatchObject({ circuit: 'open' }));
      await startHeartbeats(swarm, token);
      await time.advance(OPEN_MS + 2 * LEASE_MS);
      const closed = { circuit: 'closed', health: 'healthy', consecutiveFailures: 0 };
      expect(await statusOf(swarm, 'ada')).toMatchObject(closed);
      const circuits = (await shownOf(swarm, 'ada')).map(({ circuit }) => circuit).toReversed();
      expect(circuits.filter((circuit, place) => circuit !== circuits[place - 1])).toEqual([
        'closed',
        'open',
        'half_open',
        'closed',
      ]);
    });

    it('removes an agent that is silent for long enough after its end, and its token with it', async () => {
      const expireAfterMs = 3 * LEASE_MS;
      const swarm = await replicas.swarm(settings({ liveness: { ...LIVENESS, expireAfterMs } }));
      const watcher = swarm.watch();
      await watcher.synced();
      const token = await swarm.join('ada');
      await time.advance(LEASE_MS + expireAfterMs - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy' });
      await time.advance(CHECK_MS);
      expect(await codeOf(swarm.get('ada'))).toBe('NOT_FOUND');
      await until(() => expect(watcher.changes.at(-1)).toMatchObject({ change: 'expired' }));
      expect(await codeOf(swarm.agent(token))).toBe('UNAUTHENTICATED');
    });

    it('is not judged by a replica that has started less than a lease ago', async () => {
      const first = await replicas.swarm(settings({ leaseMs: 60_000 }));
      await sendHeartbeat(first, await first.join('ada'));
      await first.replica.close();
      // Silent for far longer than the lease of the replica that starts now.
      await time.advance(3 * LEASE_MS);
      const second = first.on(await replicas.start(settings()));
      await time.advance(MISSED_MS - 1);
      expect(await statusOf(second, 'ada')).toMatchObject({ health: 'healthy' });
      await time.advance(CHECK_MS);
      expect(await statusOf(second, 'ada')).toMatchObject({ health: 'unhealthy' });
    });

    it('is judged by another replica when the judging one has stopped, a lease later', async () => {
      const { replica, clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const [stop] = await startHealthy(swarm, ['ada']);
      stop?.();
      clock.stopped = true;
      await time.advance(DUTY_MS + MISSED_MS - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
      await time.advance(2 * CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy' });
      await replica.close();
    });

    it.each([
      ['nearly half a lease', LEASE_MS / 2 - 100],
      ['nearly a lease', DUTY_MS - 100],
      ['three leases', 3 * LEASE_MS],
    ])('of an agent with heartbeats is not missed by a judge that was stopped for %s', async (_, stillMs) => {
      const { clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const names = ['ada', 'eve'];
      await startHealthy(swarm, names);
      for (let pause = 0; pause < 3; pause += 1) {
        clock.stopped = true;
        await time.advance(stillMs);
        clock.stopped = false;
        await time.advance(CHECK_MS);
      }
      await time.advance(MISSED_MS);
      for (const name of names) {
        expect((await shownOf(swarm, name)).map(({ health }) => health)).not.toContain('unhealthy');
      }
    });

    it('is not missed while the received heartbeats cannot be written', async () => {
      const swarm = await replicas.swarm(settings());
      await startHealthy(swarm, ['ada']);
      const { kysely } = swarm.replica.database;
      await sql`create function refuse() returns trigger language plpgsql as 'begin raise ''refused''; end'`.execute(
        kysely,
      );
      await sql`create trigger refuse before update of last_seen_at on agents execute function refuse()`.execute(
        kysely,
      );
      try {
        await time.advance(3 * LEASE_MS);
        expect(swarm.replica.errors).not.toEqual([]);
      } finally {
        await sql`drop function refuse cascade`.execute(kysely);
      }
      await time.advance(2 * LEASE_MS);
      expect((await shownOf(swarm, 'ada')).map(({ health }) => health)).not.toContain('unhealthy');
    });

    it('lets a half-open circuit close by heartbeats, however seldom the judge checks', async () => {
      const { replica, clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const token = await swarm.join('ada');
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      await startHeartbeats(swarm, token);
      // It keeps the duty, and checks once in more than half a lease.
      for (let check = 0; check < 6; check += 1) {
        clock.stopped = true;
        await time.advance(DUTY_MS - STEP_MS);
        clock.stopped = false;
        await time.advance(0);
      }
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', health: 'healthy' });
      const opened = (await shownOf(swarm, 'ada')).filter(
        ({ circuit, health }) => circuit === 'open' && health === 'unhealthy',
      );
      expect(opened).toHaveLength(1);
      await replica.close();
    });
  });
}
