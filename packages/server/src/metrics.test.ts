import { HeldClock } from '@hypercode/clock/testing';
import { createLocalSignal } from '@hypercode/feed';
import { expect, test } from 'vitest';
import { ServerMetrics } from './metrics.ts';

test('metrics are rendered again 250 ms after the last rendering, once for all requests until then', async () => {
  const clock = new HeldClock();
  const metrics = new ServerMetrics(createLocalSignal());
  const first = await metrics.text(clock);
  metrics.heartbeat();
  const requests = [metrics.text(clock), metrics.text(clock)];
  await clock.advanceThrough(249);
  expect(clock.armed).toBe(1);
  await clock.advanceThrough(1);
  expect(clock.armed).toBe(0);
  const [second, third] = await Promise.all(requests);
  expect(third).toBe(second);
  expect(String(first)).toContain('swarm_heartbeats_total 0');
  expect(String(second)).toContain('swarm_heartbeats_total 1');
  metrics.close();
});
