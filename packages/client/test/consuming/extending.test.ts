// Handlers that work for longer than the deadline of their group, on a whole core.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { beforeAll, describe, expect, type TestContext, test } from 'vitest';
import { type ConsumeOptions, createSwarmClient, type DeliveryHandler, type SwarmClient } from '../../src/index.ts';

/** A timer of the client has a third of it to be late in. */
const ACK_DEADLINE_MS = 900;

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

function open(namespace: string, { onTestFinished }: TestContext): SwarmClient {
  const client = createSwarmClient({ url: core.url, token: core.adminToken, namespace, logger: false });
  onTestFinished(() => client.close());
  return client;
}

function consume(client: SwarmClient, handler: DeliveryHandler, options: Partial<ConsumeOptions> = {}): void {
  const group = { group: 'g', topics: ['job'], from: 'earliest', ackDeadlineMs: ACK_DEADLINE_MS } as const;
  client.consume({ ...group, retryDelayMs: 0, ...options }, handler);
}

const isSettled = async (client: SwarmClient): Promise<boolean> => {
  const { groups } = await client.bus.groups();
  return groups.length === 1 && groups[0]?.lag === 0 && groups[0].inFlight === 0 && groups[0].waiting === 0;
};

/** Until so many deadlines have passed since `since`. */
const deadlinesPass = (count: number, since = performance.now()) =>
  waitFor(() => performance.now() - since > count * ACK_DEADLINE_MS, { what: `${count} deadlines` });

// Each waits for several deadlines.
describe.concurrent('while a handler runs', () => {
  test('a handler that works for five deadlines is not run a second time, neither here nor by another member', async (context) => {
    const client = open(core.freshNamespace(), context);
    let runs = 0;
    const handler: DeliveryHandler = async (_event, { signal }) => {
      runs += 1;
      await deadlinesPass(5);
      expect(signal.aborted).toBe(false);
    };
    consume(client, handler);
    consume(client, handler);
    await client.publish('job', null);
    await waitFor(() => isSettled(client), { what: 'the ack' });
    expect(runs).toBe(1);
    expect(await client.bus.deadLetters({ group: 'g' })).toMatchObject({ deadLetters: [] });
  });

  test('when the process is gone, another member receives the event', async (context) => {
    const namespace = core.freshNamespace();
    const [gone, client] = [open(namespace, context), open(namespace, context)];
    let begun = false;
    consume(gone, async () => {
      begun = true;
      await new Promise(() => {});
    });
    await client.publish('job', null);
    await waitFor(() => begun, { what: 'the first delivery' });
    await deadlinesPass(2);
    // As a process that is killed, it gives nothing back.
    await gone.close();
    const attempts: number[] = [];
    consume(client, (_event, { attempt }) => attempts.push(attempt));
    await waitFor(() => isSettled(client), { what: 'the second delivery' });
    // On a machine that is busy, a deadline passed before.
    expect(attempts).toEqual([expect.toSatisfy((attempt: number) => attempt > 1)]);
  });

  test.for([
    { maxHandlerMs: 0, deadlines: 'after the first deadline' },
    { maxHandlerMs: 2 * ACK_DEADLINE_MS, deadlines: 'once it has run for too long' },
  ])(
    'with maxHandlerMs $maxHandlerMs, the signal of a handler is aborted $deadlines',
    async ({ maxHandlerMs }, context) => {
      const client = open(core.freshNamespace(), context);
      const runs: { readonly attempt: number; readonly ms: number }[] = [];
      consume(
        client,
        async (_event, { attempt, signal }) => {
          const beganAt = performance.now();
          if (attempt === 1) await new Promise((resolve) => signal.addEventListener('abort', resolve));
          runs.push({ attempt, ms: performance.now() - beganAt });
          // What came too late settles nothing before the next attempt has.
          if (attempt === 1) throw new Error('aborted');
        },
        { maxHandlerMs, onError: () => {} },
      );
      await client.publish('job', null);
      await waitFor(() => isSettled(client), { what: 'the second attempt' });
      expect(runs.map(({ attempt }) => attempt)).toEqual([1, 2]);
      expect(runs[0]?.ms).toBeGreaterThan(maxHandlerMs);
    },
  );

  test('deliveries of one call that are not in flight any more do not keep the others from being extended', async (context) => {
    const client = open(core.freshNamespace(), context);
    const runs: unknown[] = [];
    const deliveryIds: string[] = [];
    consume(client, async ({ data }, { deliveryId }) => {
      runs.push(data);
      if (data === 'settled elsewhere') deliveryIds.push(deliveryId);
      await deadlinesPass(5);
    });
    await client.publish('job', 'settled elsewhere');
    await client.publish('job', 'goes on');
    await waitFor(() => runs.length === 2, { what: 'both deliveries' });
    expect(await client.bus.ack({ group: 'g', deliveryIds })).toEqual({ settled: 1 });
    await waitFor(() => isSettled(client), { what: 'the ack' });
    expect(runs).toEqual(['settled elsewhere', 'goes on']);
  });
});
