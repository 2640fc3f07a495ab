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

test('each stream has labels of its own', async () => {
  const metrics = new ServerMetrics(createLocalSignal());
  const closed = [
    metrics.streamTally('registry.watch', 'sse_rest').opened(),
    metrics.streamTally('plans.watch', 'sse_rest').opened(),
    metrics.streamTally('plans.watch', 'sse_rest').opened(),
  ];
  const text = String(await metrics.text(new HeldClock()));
  expect(text).toContain('swarm_streams{stream="watch",transport="sse_rest"} 1\n');
  expect(text).toContain('swarm_streams{stream="plans.watch",transport="sse_rest"} 2\n');
  for (const close of closed) close();
  metrics.close();
});
