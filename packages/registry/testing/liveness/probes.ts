// Probes of a healthUrl on every store.
import { describe, expect, it } from 'vitest';
import { PROBE_FAILED } from '../../src/documents/liveness-memory.ts';
import { DUTY_MS } from '../../src/liveness/judge.ts';
import { until } from '../../test/swarm.ts';
import { CHECK_MS, PROBE_INTERVAL_MS, Endpoint, type LivenessFixture } from './fixture.ts';

export function probesSuite({
  replicas,
  time,
  settings,
  startStoppable,
  startHeartbeats,
  endpoint,
  statusOf,
  movingUntil,
  untilStatus,
  shownOf,
  showCircuit,
}: LivenessFixture): void {
  describe('a healthUrl', () => {
    it('is probed: three failures are nothing, more open the circuit, two good ones close it', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      const token = await swarm.join('ada', { healthUrl: there.url });
      await startHeartbeats(swarm, token);
      await untilStatus(swarm, 'ada', { health: 'healthy' });
      there.failures = 3;
      await untilStatus(swarm, 'ada', { health: 'unhealthy', reason: PROBE_FAILED });
      expect((await swarm.get('ada', true)).status.reason).toContain('500');
      await untilStatus(swarm, 'ada', { health: 'healthy', consecutiveFailures: 0 });
      expect((await shownOf(swarm, 'ada')).map(({ circuit }) => circuit)).not.toContain('open');
      there.status = 500;
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      expect((await statusOf(swarm, 'ada')).consecutiveFailures).toBeGreaterThanOrEqual(4);
      await untilStatus(swarm, 'ada', { circuit: 'half_open' });
      // A bad trial.
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      await untilStatus(swarm, 'ada', { circuit: 'half_open' });
      there.status = 200;
      await untilStatus(swarm, 'ada', { circuit: 'closed', health: 'healthy' });
    });

    it('is shared out among replicas, never probed by two in one round, and taken over', async () => {
      const swarm = await replicas.swarm(settings());
      const other = await replicas.start(settings());
      const there = await endpoint();
      await swarm.register('ada', { healthUrl: there.url });
      await movingUntil(() => expect(there.asked).toBeGreaterThan(0));
      const before = { asked: there.asked, at: time.now };
      await movingUntil(() => expect(there.asked).toBeGreaterThan(before.asked + 8));
      // Nine rounds, each shorter by a tenth at most. Two replicas that both probe would take half the time.
      expect(time.now - before.at).toBeGreaterThan(8 * PROBE_INTERVAL_MS * 0.9);
      await other.close();
      const then = there.asked;
      await movingUntil(() => expect(there.asked).toBeGreaterThan(then + 2));
    });

    it('that answers makes the shown circuit the remembered one, also before a judge checks', async () => {
      const { replica, clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      await swarm.register('ada', { healthUrl: there.url });
      await untilStatus(swarm, 'ada', { health: 'healthy' });
      clock.stopped = true;
      const stoppedAt = time.now;
      await showCircuit(swarm, 'ada', 'half_open');
      await untilStatus(swarm, 'ada', { circuit: 'closed', health: 'healthy' });
      expect(time.now - stoppedAt).toBeLessThan(DUTY_MS);
      await replica.close();
    });

    it('that hangs fails an agent that is ready, and not one that is busy and sends heartbeats', async () => {
      const swarm = await replicas.swarm(settings());
      const [there, elsewhere] = [await endpoint(), await endpoint()];
      await startHeartbeats(swarm, await swarm.join('ada', { healthUrl: there.url }));
      await startHeartbeats(swarm, await swarm.join('eve', { healthUrl: elsewhere.url }));
      there.body = '{"status":"busy"}';
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'busy' });
      await untilStatus(swarm, 'eve', { health: 'healthy', activity: 'ready' });
      there.hangs = true;
      elsewhere.hangs = true;
      for (let failures = 1; failures <= 4; failures += 1) {
        await time.advance(PROBE_INTERVAL_MS);
        // The probes end in real time, of which far more passes here.
        await until(async () => {
          await time.advance(1);
          expect((await statusOf(swarm, 'eve')).consecutiveFailures).toBeGreaterThanOrEqual(failures);
        });
      }
      await untilStatus(swarm, 'eve', { health: 'unhealthy', circuit: 'open' });
      expect(there.asked).toBeGreaterThan(3);
      expect(await statusOf(swarm, 'ada')).toMatchObject({
        health: 'healthy',
        circuit: 'closed',
        consecutiveFailures: 0,
      });
    });

    it('that fails is no failure of an agent that is paused', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      await startHeartbeats(swarm, await swarm.join('ada', { healthUrl: there.url }));
      there.body = '{"status":"paused"}';
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'paused' });
      there.status = 500;
      const { asked } = there;
      await movingUntil(() => expect(there.asked).toBeGreaterThan(asked + 5));
      const shown = { health: 'healthy', activity: 'paused', circuit: 'closed', consecutiveFailures: 0 };
      expect(await statusOf(swarm, 'ada')).toMatchObject(shown);
    });

    it('may report that the agent is busy, and its status shows so', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      there.body = '{"status":"busy"}';
      await swarm.register('ada', { healthUrl: there.url });
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'busy' });
      there.body = '{"status":"ready"}';
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'ready' });
    });

    it('that fails has one reason for agents, whatever it is that failed, and the details are for operators', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      there.status = 418;
      const closed = await Endpoint.open();
      const { url: refused } = closed;
      await closed.close();
      const urls = { status: there.url, refused, blocked: 'http://169.254.169.254/' };
      for (const [name, healthUrl] of Object.entries(urls)) await swarm.register(name, { healthUrl });
      for (const name of Object.keys(urls)) await untilStatus(swarm, name, { health: 'unhealthy' });
      const details = new Set<string | null>();
      for (const name of Object.keys(urls)) {
        expect(await statusOf(swarm, name)).toMatchObject({ reason: PROBE_FAILED });
        for (const { reason } of await shownOf(swarm, name)) expect([null, PROBE_FAILED]).toContain(reason);
        details.add((await swarm.get(name, true)).status.reason);
      }
      expect(details.size).toBe(3);
      there.status = 200;
      await untilStatus(swarm, 'status', { health: 'healthy', reason: null });
      expect((await swarm.get('status', true)).status.reason).toBeNull();
    });

    it('that may not be probed is a failure whose details name that', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.register('ada', { healthUrl: 'http://169.254.169.254/latest/meta-data' });
      await untilStatus(swarm, 'ada', { health: 'unhealthy', reason: PROBE_FAILED });
      expect((await swarm.get('ada', true)).status.reason).toContain('never probed');
    });
  });
}
