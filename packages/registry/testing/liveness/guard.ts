// The mass-failure guard on every store.
import { describe, expect, it } from 'vitest';
import { LEASES_TO_COUNT } from '../../src/liveness/mass-failure-guard.ts';
import { type Swarm } from '../../test/swarm.ts';
import { LEASE_MS, FLUSH_MS, MISSED_MS, CHECK_MS, type LivenessFixture } from './fixture.ts';

export function guardSuite({
  time,
  sendHeartbeat,
  startHeartbeats,
  startHealthy,
  endpoint,
  statusOf,
  movingUntil,
  untilStatus,
  shownOf,
  guardedSwarm,
}: LivenessFixture): void {
  describe('the mass-failure guard', () => {
    const names = Array.from({ length: 12 }, (_, i) => `ada-${i}`);
    const hasOpened = async (swarm: Swarm, name: string): Promise<void> =>
      expect((await shownOf(swarm, name)).map(({ circuit }) => circuit)).toContain('open');
    /** Until agents that were registered now count. */
    const untilTheyCount = () => time.advance(LEASES_TO_COUNT * LEASE_MS);

    it('suspends liveness when half of the agents fail together, and resumes it; agents that stay away are tripped then', async () => {
      const { swarm, notices, numbers } = await guardedSwarm();
      const stops = await startHealthy(swarm, names);
      await untilTheyCount();
      for (const stop of stops.slice(0, 8)) stop();
      await time.advance(MISSED_MS + LEASE_MS / 3 + CHECK_MS);
      expect(notices).toEqual(['suspended']);
      expect(numbers).toEqual([{ healthyBefore: 12, failing: 8 }]);
      expect(swarm.registry.suspended()).toEqual([swarm.namespace]);
      await movingUntil(() => expect(notices).toEqual(['suspended', 'resumed']));
      expect(swarm.registry.suspended()).toEqual([]);
      for (const name of names.slice(0, 8)) {
        expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed', health: 'unhealthy' });
      }
      await time.advance(4 * LEASE_MS + CHECK_MS);
      for (const name of names.slice(0, 8)) {
        expect((await shownOf(swarm, name)).map(({ circuit }) => circuit)).toContain('open');
      }
      for (const name of names.slice(8)) {
        expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed', health: 'healthy' });
      }
      expect(notices).toEqual(['suspended', 'resumed']);
    });

    it('suspends liveness for a fleet whose last heartbeats came at different times within a lease', async () => {
      const { swarm, notices } = await guardedSwarm();
      const tokens = await Promise.all(names.map((name) => swarm.join(name)));
      const stops = await Promise.all(tokens.map((token) => startHeartbeats(swarm, token)));
      await untilTheyCount();
      for (const stop of stops) stop();
      for (const [place, token] of tokens.entries()) {
        if (place >= 7) await startHeartbeats(swarm, token);
        else if (place < 4) await sendHeartbeat(swarm, token);
      }
      await time.advance(LEASE_MS - 100);
      for (const token of tokens.slice(4, 7)) await sendHeartbeat(swarm, token);
      await time.advance(5 * LEASE_MS);
      expect(notices).toContain('suspended');
      for (const name of names) expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed' });
    });

    it('forgets the failures that probes have counted meanwhile', async () => {
      const { swarm, notices } = await guardedSwarm();
      const there = await endpoint();
      for (const name of names.slice(0, 6)) await swarm.register(name, { healthUrl: there.url });
      for (const name of names.slice(0, 6)) await untilStatus(swarm, name, { health: 'healthy' });
      const registeredAt = Date.parse((await swarm.get('ada-5')).registeredAt);
      await movingUntil(() => expect(time.now - registeredAt).toBeGreaterThan(LEASES_TO_COUNT * LEASE_MS));
      there.status = 500;
      await movingUntil(() => expect(notices).toEqual(['suspended', 'resumed']));
      for (const name of names.slice(0, 6)) expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed' });
      there.status = 200;
      for (const name of names.slice(0, 6)) await untilStatus(swarm, name, { health: 'healthy' });
      for (const name of names.slice(0, 6)) {
        expect((await shownOf(swarm, name)).map(({ circuit }) => circuit)).not.toContain('open');
      }
    });

    it('is not engaged by agents that have lived for less than ten leases, and agents of others are tripped meanwhile', async () => {
      const { swarm, notices } = await guardedSwarm();
      const [stop] = await startHealthy(swarm, names.slice(0, 6));
      await untilTheyCount();
      const hostile = Array.from({ length: 20 }, (_, i) => `mallory-${i}`);
      for (const name of hostile) await sendHeartbeat(swarm, await swarm.join(name));
      stop?.();
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS + LEASE_MS / 3 + CHECK_MS);
      for (const name of ['ada-0', ...hostile]) await hasOpened(swarm, name);
      expect(notices).toEqual([]);
    });

    it('is not engaged again within an hour by agents that were registered after it had engaged', async () => {
      const { swarm, notices } = await guardedSwarm();
      const stops = await startHealthy(swarm, names);
      await untilTheyCount();
      for (const stop of stops.slice(0, 6)) stop();
      await movingUntil(() => expect(notices).toEqual(['suspended', 'resumed']));
      const hostile = Array.from({ length: 20 }, (_, i) => `mallory-${i}`);
      const ends = await Promise.all(hostile.map(async (name) => startHeartbeats(swarm, await swarm.join(name))));
      await untilTheyCount();
      for (const end of ends) end();
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS + LEASE_MS / 3 + CHECK_MS);
      for (const name of hostile) await hasOpened(swarm, name);
      expect(notices).toEqual(['suspended', 'resumed']);
    });

    it('is not engaged by a few agents that never answered, nor by one that vanishes', async () => {
      const { swarm, notices } = await guardedSwarm();
      const [stop] = await startHealthy(swarm, names.slice(0, 8));
      for (let fake = 0; fake < 6; fake += 1) await swarm.register(`fake-${fake}`);
      stop?.();
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS + CHECK_MS);
      expect(await statusOf(swarm, 'ada-0')).toMatchObject({ circuit: 'open' });
      expect(await statusOf(swarm, 'fake-0')).toMatchObject({ circuit: 'open' });
      expect(notices).toEqual([]);
    });
  });
}
