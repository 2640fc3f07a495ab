// The plans that a core keeps in memory: how long, for how many namespaces, and what happens when events are missing.
import type { Bus } from '@hypercode/bus';
import { HeldClock } from '@hypercode/clock/testing';
import type { SwarmError } from '@hypercode/contracts';
import { PlanFolds, watchPlans } from '@hypercode/server/testing';
import { waitFor } from '@hypercode/testkit';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { swarmOn } from './goal-events.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const never = new AbortController().signal;

function foldsOn(bus: Pick<Bus, 'read' | 'subscribe'>, options: { maxFolds?: number } = {}) {
  const clock = new HeldClock();
  const errors: SwarmError[] = [];
  const folds = new PlanFolds({ bus, clock, onError: (error) => void errors.push(error), ...options });
  onTestFinished(() => folds.close());
  return { clock, folds, errors };
}

test('the plans of a namespace are kept for five minutes after the last call', async () => {
  const { clock, folds } = foldsOn(core.bus);
  const { namespace, submit } = swarmOn(core);
  await submit();
  const plans = () => folds.use(namespace, async (fold) => (await fold.plans(never)).size);
  expect(await plans()).toBe(1);
  clock.advance(299_000);
  expect(await plans()).toBe(1);
  clock.advance(299_000);
  expect(folds.size).toBe(1);
  clock.advance(1_000);
  expect(folds.size).toBe(0);
  const { leave } = folds.enter(namespace);
  clock.advance(3_600_000);
  expect(folds.size).toBe(1);
  leave();
});

test('a namespace without events is released with its last caller', async () => {
  const { folds } = foldsOn(core.bus);
  const namespace = core.freshNamespace();
  expect(await folds.use(namespace, async (fold) => (await fold.plans(never)).size)).toBe(0);
  expect(folds.size).toBe(0);
});

test('of more namespaces than are kept, the one that was used longest ago and has no caller is released', async () => {
  const { folds } = foldsOn(core.bus, { maxFolds: 2 });
  const swarms = Array.from({ length: 3 }, () => swarmOn(core));
  await Promise.all(swarms.map(({ submit }) => submit()));
  const [a = '', b = '', c = ''] = swarms.map(({ namespace }) => namespace);
  const used = folds.enter(a);
  await folds.use(b, (fold) => fold.plans(never));
  const before = folds.enter(b);
  before.leave();
  await folds.use(c, (fold) => fold.plans(never));
  expect(folds.size).toBe(2);
  const after = folds.enter(b);
  expect(after.fold).not.toBe(before.fold);
  expect(folds.enter(a).fold).toBe(used.fold);
  for (const leave of [after.leave, used.leave, used.leave]) leave();
});

test('when events are missing, the plans are read again, and watchers are sent them again', async () => {
  const gap = Promise.withResolvers<void>();
  let isMissing = true;
  const bus: Pick<Bus, 'read' | 'subscribe'> = {
    read: (...request) => core.bus.read(...request),
    // Only what is missing is made up: a store loses its log in the tests of the bus.
    async *subscribe(...request) {
      const [caller, topics, signal] = request;
      const end = new AbortController();
      if (isMissing) void gap.promise.then(() => end.abort());
      yield* core.bus.subscribe(caller, topics, AbortSignal.any([signal, end.signal]));
      if (signal.aborted) return;
      isMissing = false;
      const event = { type: 'gap', after: 'x', resumedAt: 'y', reason: 'log_lost' } as const;
      yield [{ id: 'y', type: 'gap', event, json: JSON.stringify(event) }];
    },
  };
  const { clock, folds } = foldsOn(bus);
  const { namespace, submit } = swarmOn(core);
  const { planId } = await submit();
  const { fold, leave } = folds.enter(namespace);
  const end = new AbortController();
  const events: string[] = [];
  const watching = (async () => {
    for await (const batch of watchPlans(fold, {}, { clock, signal: end.signal })) {
      for (const { event } of batch) events.push(event.type === 'plan' ? event.plan.planId : event.type);
    }
  })();
  await waitFor(() => events.length === 2, { what: 'the plans to be sent' });
  gap.resolve();
  await waitFor(() => events.length === 3, { what: 'the watcher to be notified' });
  await waitFor(() => clock.nextInMs === 1_000, { what: 'the pause' });
  clock.advance(1_000);
  await waitFor(() => events.length === 5, { what: 'the plans to be sent again' });
  expect(events).toEqual([planId, 'synced', 'reset', planId, 'synced']);
  end.abort();
  await watching;
  leave();
});

test('while the bus cannot be read, a caller is refused with the reason, and a later one is answered', async () => {
  let isDown = true;
  const bus: Pick<Bus, 'read' | 'subscribe'> = {
    read: async (...request) => {
      if (isDown) throw new Error('the store has gone');
      return core.bus.read(...request);
    },
    subscribe: (...request) => core.bus.subscribe(...request),
  };
  const { clock, folds, errors } = foldsOn(bus);
  const { namespace, submit } = swarmOn(core);
  await submit();
  const plans = () => folds.use(namespace, async (fold) => (await fold.plans(never)).size);
  await expect(plans()).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: 1_000 });
  expect(errors).toHaveLength(1);
  await waitFor(() => clock.nextInMs === 1_000, { what: 'the pause' });
  isDown = false;
  clock.advance(1_000);
  await waitFor(async () => (await plans().catch(() => 0)) === 1, { what: 'the plans to be read' });
});
