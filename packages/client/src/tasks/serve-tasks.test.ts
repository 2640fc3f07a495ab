// What becomes of each assignment, with a bus and a clock that the test moves.
import {
  LIMITS,
  type Json,
  type PublishResult,
  type ReadResult,
  SwarmError,
  type SwarmEvent,
} from '@hypercode/contracts';
import { HeldClock } from '@hypercode/clock/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { describe, expect, test } from 'vitest';
import type { BusCalls } from '../bus/bus-calls.ts';
import type { ConsumeOptions, Delivery, DeliveryHandler } from '../consuming/consumer.ts';
import type { LogReader } from '../goals/task-outputs.ts';
import type { PublishOptions } from '../publishing/outgoing-event.ts';
import { AssignedTasks, type ServeTasksOptions, type TaskHandler } from './serve-tasks.ts';
import { taskEventId } from './task-event-id.ts';
import { typedEvents } from '../bus/typed-events.ts';

interface Said {
  readonly kind: string;
  readonly data: Record<string, Json>;
  readonly options: PublishOptions;
}

const START = Date.parse('2026-01-01T00:00:00.000Z');
const TASK = {
  planId: '6ba7b810-9dad-41d1-80b4-00c04fd430c8',
  goalId: '6ba7b811-9dad-41d1-80b4-00c04fd430c8',
  taskId: 't1',
  attempt: 1,
  capability: 'work',
  title: 'Work',
  input: null,
  dependencies: {},
  deadlineAt: new Date(START + 60_000).toISOString(),
};
const ASSIGNED_ID = taskEventId(TASK, 'assigned');
const INCARNATION = '6ba7b812-9dad-41d1-80b4-00c04fd430c8';
const ATTEMPT = { planId: TASK.planId, taskId: TASK.taskId, attempt: TASK.attempt };

type ReadInput = NonNullable<Parameters<LogReader['read']>[0]>;

/** A worker on a bus that the test plays: what it says is kept, or refused by `refuse`. */
function workerOf(handlers: Record<string, TaskHandler>, options: ServeTasksOptions = {}) {
  const clock = new HeldClock();
  const said: Said[] = [];
  const errors: unknown[] = [];
  const attached = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  let consumed: ConsumeOptions | undefined;
  let handle: DeliveryHandler = () => {};
  let receive: (event: SwarmEvent) => unknown = () => {};
  let isListening = true;
  const world = {
    clock,
    said,
    errors,
    /** How many deliveries have left their places. */
    placesLeft: 0,
    attach: attached.resolve,
    refuse: (_kind: string): SwarmError | Promise<void> | undefined => undefined,
    /** What is read of the log, and how it answers: with the events of `log` that match, all on one page. */
    reads: [] as ReadInput[],
    log: [] as SwarmEvent[],
    read: async ({ topics, at }: ReadInput): Promise<ReadResult> => ({
      events: world.log
        .map((event, index) => ({ position: String(index), appendedAt: null, event }))
        .filter(
          ({ position, event }) =>
            topics?.[0]?.endsWith(event.topic.split('.')[2] ?? '') && (at ?? position) === position,
        ),
      next: String(world.log.length),
      end: true,
    }),
    get consumed() {
      return consumed;
    },
    get isListening() {
      return isListening;
    },
    kinds: () => said.map(({ kind }) => kind),
    /** The group hands the task over: resolves when it is acknowledged, rejects when it is given back. */
    deliver: (task: object = {}, given: Partial<Delivery> = {}): Promise<unknown> => {
      const leavePlace = (): void => void (world.placesLeft += 1);
      const { signal } = new AbortController();
      const delivery = { deliveryId: '1', attempt: 1, position: '1', signal, leavePlace, ...given };
      return Promise.resolve(handle(eventOf('assigned', { ...TASK, ...task }), delivery));
    },
    cancel: (attempt = 1) =>
      receive(eventOf('cancelled', { planId: TASK.planId, taskId: TASK.taskId, attempt, reason: 'not wanted' })),
    stop: () => closed.resolve(),
  };
  const bus: BusCalls = {
    async publish(topic, data, published = {}): Promise<PublishResult> {
      const kind = topic.split('.')[2] ?? '';
      const refusal = await world.refuse(kind);
      if (refusal !== undefined) throw refusal;
      said.push({ kind, data: data as Record<string, Json>, options: published });
      return { id: published.id ?? '', position: String(said.length), duplicate: false };
    },
    on(_topics, handler) {
      receive = handler;
      const stop = (): void => void (isListening = false);
      return { stop, attached: attached.promise, closed: closed.promise, [Symbol.dispose]: stop };
    },
    consume(given, handler) {
      consumed = given;
      handle = handler;
      const stop = async (): Promise<void> => closed.resolve();
      return { running: 0, stop, closed: closed.promise, [Symbol.asyncDispose]: stop };
    },
    flush: async () => {},
    subscribe: () => expect.unreachable(),
    deliveries: () => expect.unreachable(),
    events: (catalogue) => typedEvents(bus, catalogue),
  };
  const onError = (error: unknown): void => void errors.push(error);
  const log: LogReader = {
    read(input = {}) {
      world.reads.push(input);
      return world.read(input);
    },
  };
  const self = { name: 'ada', incarnation: INCARNATION };
  const server = new AssignedTasks(self, { ...bus, bus: log }, handlers, { onError, ...options }, clock);
  return Object.assign(world, { server });
}

const eventOf = (kind: string, data: SwarmEvent['data']): SwarmEvent => ({
  id: ASSIGNED_ID,
  topic: `task.ada.${kind}`,
  data,
  time: '2026-01-01T00:00:00.000Z',
  namespace: 'default',
  source: '/agents/default/architect',
});

/** A worker that has attached, whose handler `work` ends when the test says so. */
function busyWorker(options?: ServeTasksOptions) {
  const outcome = Promise.withResolvers<Json>();
  const signals: AbortSignal[] = [];
  const world = workerOf(
    {
      work(_, { signal }) {
        signals.push(signal);
        return outcome.promise;
      },
    },
    options,
  );
  world.attach();
  return Object.assign(world, { outcome, signals, begun: () => waitFor(() => signals[0], { what: 'the handler' }) });
}

test('every answer names the attempt, the goal and the assignment', async () => {
  const { attach, deliver, said } = workerOf({
    work(_, { progress }) {
      progress(0.5);
      return 1;
    },
  });
  attach();
  await deliver();
  const attempt = { planId: TASK.planId, taskId: 't1', attempt: 1 };
  const about = { correlationId: TASK.goalId, causationId: ASSIGNED_ID };
  expect(said).toEqual([
    {
      kind: 'accepted',
      data: attempt,
      options: { ...about, id: taskEventId(TASK, 'accepted'), signal: expect.any(AbortSignal) },
    },
    { kind: 'progress', data: { ...attempt, progress: 0.5 }, options: about },
    { kind: 'completed', data: { ...attempt, output: 1 }, options: { ...about, id: taskEventId(TASK, 'completed') } },
  ]);
});

test('works as the group of its name, from the beginning', () => {
  const { consumed } = workerOf({}, { concurrency: 7, ackDeadlineMs: 5_000 });
  expect(consumed).toMatchObject({
    group: 'ada',
    topics: ['task.ada.assigned'],
    from: 'earliest',
    maxInFlight: 7,
    ackDeadlineMs: 5_000,
  });
});

test('an assignment that comes again while its handler runs waits for the same answer, without a place', async () => {
  const world = busyWorker();
  const { deliver, begun, outcome, signals, kinds, server } = world;
  const first = deliver();
  await begun();
  expect(world.placesLeft).toBe(0);
  let isSettled = false;
  const second = deliver().then(() => (isSettled = true));
  await new Promise(setImmediate);
  expect(isSettled).toBe(false);
  expect(server.running).toBe(1);
  expect(world.placesLeft).toBe(1);
  outcome.resolve('done');
  await Promise.all([first, second]);
  expect(kinds()).toEqual(['accepted', 'completed']);
  expect(signals).toHaveLength(1);
});

test('the deadline of the delivery does not end the work', async () => {
  const { deliver, begun, outcome, kinds } = busyWorker();
  const delivery = new AbortController();
  const delivered = deliver({}, { signal: delivery.signal });
  const signal = await begun();
  delivery.abort();
  expect(signal.aborted).toBe(false);
  outcome.resolve('done');
  await delivered;
  expect(kinds()).toEqual(['accepted', 'completed']);
});

test('an assignment that was answered is acknowledged, and not done again', async () => {
  const { deliver, outcome, signals, kinds } = busyWorker();
  outcome.resolve('done');
  await deliver();
  await deliver();
  expect(signals).toHaveLength(1);
  expect(kinds()).toEqual(['accepted', 'completed']);
});

test('two attempts at a task are two pieces of work', async () => {
  const { deliver, outcome, said } = busyWorker();
  outcome.resolve('done');
  await deliver();
  await deliver({ attempt: 2 });
  const completed = said.filter(({ kind }) => kind === 'completed');
  expect(completed.map(({ data }) => data['attempt'])).toEqual([1, 2]);
  expect(new Set(completed.map(({ options }) => options.id)).size).toBe(2);
});

test('an attempt that is cancelled before it comes is not begun', async () => {
  const { cancel, deliver, kinds, signals } = busyWorker();
  cancel();
  await deliver();
  expect(signals).toEqual([]);
  expect(kinds()).toEqual([]);
});

test('an attempt that is cancelled ends without an answer, whether its handler heeds that or not', async () => {
  const { cancel, deliver, begun, kinds, server } = busyWorker();
  const delivered = deliver();
  const signal = await begun();
  cancel(2);
  expect(signal.aborted).toBe(false);
  cancel();
  await delivered;
  expect(signal.reason).toMatchObject({ message: expect.stringContaining('not wanted') });
  expect(kinds()).toEqual(['accepted']);
  expect(server.running).toBe(0);
});

test('no task begins before cancellations can be received', async () => {
  const { attach, deliver, kinds } = workerOf({ work: () => 1 });
  const delivered = deliver();
  await new Promise(setImmediate);
  expect(kinds()).toEqual([]);
  attach();
  await delivered;
  expect(kinds()).toEqual(['accepted', 'completed']);
});

test('the deadline answers for a handler that does not heed it', async () => {
  const { clock, deliver, begun, said, outcome, kinds } = busyWorker();
  const delivered = deliver();
  const signal = await begun();
  clock.advance(60_000);
  await delivered;
  expect(signal.aborted).toBe(true);
  expect(said.at(-1)).toMatchObject({
    kind: 'failed',
    data: { error: { retryable: true, message: expect.stringContaining(TASK.deadlineAt) } },
  });
  outcome.resolve('too late');
  await new Promise(setImmediate);
  expect(kinds()).toEqual(['accepted', 'failed']);
});

test('a task that arrives at its deadline is acknowledged without an answer', async () => {
  const { clock, deliver, kinds } = busyWorker();
  clock.advance(60_000);
  await deliver();
  expect(kinds()).toEqual([]);
});

test('an answer is repeated while the core does not take it, without the work being done again', async () => {
  const world = busyWorker();
  const { clock, deliver, outcome, kinds, signals, errors } = world;
  let refusals = 0;
  world.refuse = (kind) => {
    if (kind !== 'completed' || refusals === 3) return undefined;
    refusals += 1;
    return new SwarmError('CIRCUIT_OPEN', 'not now', { retryAfterMs: 100 });
  };
  outcome.resolve('done');
  const delivered = deliver();
  for (let round = 1; round <= 3; round += 1) {
    await waitFor(() => errors.length === round && clock.armed === 2, { what: `refusal ${round}` });
    clock.advance(1_000);
  }
  await delivered;
  expect(kinds()).toEqual(['accepted', 'completed']);
  expect(signals).toHaveLength(1);
});

test('an answer is given up at the deadline of its task', async () => {
  const world = busyWorker();
  world.refuse = (kind) => (kind === 'completed' ? new SwarmError('UNAVAILABLE', 'no core') : undefined);
  world.outcome.resolve('done');
  const delivered = world.deliver();
  await waitFor(() => world.errors.length > 0, { what: 'the refusal' });
  world.clock.advance(60_000);
  await expect(delivered).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(world.clock.armed).toBe(0);
});

test('an assignment that must not be answered is given back with the reason', async () => {
  const world = busyWorker();
  world.refuse = () => new SwarmError('ACL_DENIED', 'not yours');
  await expect(world.deliver()).rejects.toMatchObject({ code: 'ACL_DENIED' });
  expect(world.signals).toEqual([]);
});

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;
test.each<[string, unknown]>([
  ['a number that JSON can not hold', Number.NaN],
  ['a function', () => 1],
  ['a bigint', 1n],
  ['a cycle', cyclic],
  ['NUL', { text: '\0' }],
  [
    'what throws when it is read',
    {
      get trap() {
        throw new Error('trap');
      },
    },
  ],
])('an output that is no JSON fails for good: %s', async (_, output) => {
  const { attach, deliver, said } = workerOf({ work: () => output as Json });
  attach();
  await deliver();
  expect(said.at(-1)).toMatchObject({
    kind: 'failed',
    data: { error: { retryable: false, message: expect.stringContaining('the output cannot be sent') } },
  });
});

test.each<[string, unknown, string]>([
  ['no error at all', undefined, 'undefined'],
  ['something without a text', Object.create(null), 'the handler threw a value that cannot be converted to text'],
  ['NUL and half a character', new Error('a\0b\ud800'), 'ab\ufffd'],
  ['a long text', new Error('x'.repeat(10_000)), 'x'.repeat(LIMITS.taskErrorLength)],
])('whatever is thrown can be said: %s', async (_, thrown, message) => {
  const { attach, deliver, said, errors } = workerOf({
    work() {
      throw thrown;
    },
  });
  attach();
  await deliver();
  expect(said.at(-1)?.data['error']).toEqual({ message, retryable: true });
  expect(errors).toEqual([thrown]);
});

test('progress is published at most four times a second, one at a time, and never after the end', async () => {
  let tell = (_fraction: number, _message?: string): void => {};
  const world = workerOf({
    work(_, { progress }) {
      tell = progress;
      return outcome.promise;
    },
  });
  const { attach, deliver, clock, said, kinds } = world;
  const outcome = Promise.withResolvers<Json>();
  attach();
  const delivered = deliver();
  await waitFor(() => kinds().includes('accepted'), { what: 'the beginning' });
  await new Promise(setImmediate);
  tell(-1);
  tell(0.1);
  await waitFor(() => kinds().length === 2, { what: 'the first' });
  clock.advance(250);
  const sending = Promise.withResolvers<void>();
  world.refuse = () => sending.promise;
  tell(0.2, 'm'.repeat(5_000));
  clock.advance(250);
  tell(0.3);
  sending.resolve();
  await waitFor(() => kinds().length === 3, { what: 'the second' });
  outcome.resolve(null);
  await delivered;
  clock.advance(250);
  tell(1);
  await new Promise(setImmediate);
  expect(kinds()).toEqual(['accepted', 'progress', 'progress', 'completed']);
  expect(said.map(({ data }) => data['progress'])).toEqual([undefined, 0, 0.2, undefined]);
  expect(said[2]?.data['message']).toHaveLength(LIMITS.reasonLength);
});

test('progress that does not get through harms nothing', async () => {
  const world = workerOf({
    work(_, { progress }) {
      progress(Number.NaN);
      return 'done';
    },
  });
  world.attach();
  await world.deliver();
  expect(world.kinds()).toEqual(['accepted', 'completed']);
  expect(world.errors).toMatchObject([{ code: 'INVALID_INPUT' }]);
});

test('a worker that is stopped gives back its tasks, and no listener or timer remains', async () => {
  const leaks = trackLeaks();
  const world = busyWorker();
  const delivered = world.deliver();
  const signal = await world.begun();
  world.stop();
  await expect(delivered).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(signal.aborted).toBe(true);
  expect(world.kinds()).toEqual(['accepted']);
  expect(world).toMatchObject({ isListening: false, server: { running: 0 }, clock: { armed: 0 } });
  await leaks.check();
});

test.each<[string, string | null, number]>([
  ['this process of the agent is begun', INCARNATION, 1],
  ['no process in particular is begun', null, 1],
  ['another process of the agent is acknowledged, and not begun', '6ba7b813-9dad-41d1-80b4-00c04fd430c8', 0],
])('an assignment to %s', async (_, incarnation, begun) => {
  const { attach, deliver, kinds } = workerOf({ work: () => 1 });
  attach();
  await deliver({ incarnation });
  expect(kinds()).toHaveLength(begun * 2);
});

const past = (kind: string, data: object): SwarmEvent => eventOf(kind, { ...ATTEMPT, ...data });
const CANCELLED = past('cancelled', { reason: 'not wanted' });

describe('an attempt that was cancelled before the process listened', () => {
  test('is acknowledged, and not begun', async () => {
    const world = busyWorker();
    world.log.push(past('cancelled', { reason: 7 }), CANCELLED);
    await world.deliver();
    expect(world.kinds()).toEqual([]);
    expect(world.signals).toEqual([]);
    expect(world.reads).toEqual([{ topics: ['task.ada.cancelled'], after: '1', limit: 500 }]);
  });

  test('is found on a later page, and where retention has taken the place of its assignment', async () => {
    const world = busyWorker();
    const pages: (ReadResult | SwarmError)[] = [
      new SwarmError('COMPACTED', 'no longer'),
      { events: [], next: '8', end: false },
      { events: [{ position: '9', appendedAt: null, event: CANCELLED }], next: '9', end: true },
    ];
    world.read = async () => {
      const page = pages.shift() ?? expect.unreachable();
      if (page instanceof SwarmError) throw page;
      return page;
    };
    await world.deliver();
    expect(world.kinds()).toEqual([]);
    expect(world.reads.map(({ after }) => after)).toEqual(['1', undefined, '8']);
  });

  test('is looked for once for all that follows, and again for what comes again', async () => {
    const { outcome, deliver, reads } = busyWorker();
    outcome.resolve('done');
    await deliver({}, { position: '5' });
    await deliver({ taskId: 't2' }, { position: '6' });
    expect(reads.map(({ after }) => after)).toEqual(['5']);
    await deliver({ taskId: 't3' }, { position: '3', attempt: 2 });
    expect(reads.map(({ after }) => after)).toEqual(['5', '3']);
  });

  test('is looked for until the core answers, and no task begins before', async () => {
    const world = busyWorker();
    const { read } = world;
    world.read = async () => {
      world.read = read;
      throw new SwarmError('UNAVAILABLE', 'no core');
    };
    world.log.push(CANCELLED);
    const delivered = world.deliver();
    await waitFor(() => world.clock.armed === 2, { what: 'the pause' });
    expect(world.kinds()).toEqual([]);
    world.clock.advance(1);
    await delivered;
    expect(world.kinds()).toEqual([]);
    expect(world.errors).toMatchObject([{ code: 'UNAVAILABLE' }]);
  });

  test('cannot be known to an agent that may not read cancellations, which works all the same', async () => {
    const world = busyWorker();
    world.read = () => Promise.reject(new SwarmError('ACL_DENIED', 'not yours'));
    world.outcome.resolve('done');
    await world.deliver();
    expect(world.kinds()).toEqual(['accepted', 'completed']);
  });
});

test('a worker that is stopped while it reads the log leaves nothing behind', async () => {
  const world = busyWorker();
  world.read = () => new Promise(() => {});
  const delivered = world.deliver();
  await waitFor(() => world.reads.length > 0, { what: 'the read' });
  world.stop();
  await expect(delivered).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(world).toMatchObject({ clock: { armed: 0 }, server: { running: 0 } });
});

test('a task that is assigned anew ends its earlier attempt, without an answer', async () => {
  const world = busyWorker();
  const first = world.deliver();
  const signal = await world.begun();
  const second = world.deliver({ attempt: 2 });
  await first;
  expect(signal.reason).toMatchObject({ message: expect.stringContaining('attempt 2') });
  world.outcome.resolve('done');
  await second;
  expect(world.said.filter(({ kind }) => kind === 'completed').map(({ data }) => data['attempt'])).toEqual([2]);
});

describe('the deadline of a task', () => {
  /** A worker whose task reports progress when the test says so. */
  const reporting = () => {
    const reports: ((fraction: number) => void)[] = [];
    const never = new Promise<Json>(() => {});
    const world = workerOf({
      work(_, { progress }) {
        reports.push(progress);
        return never;
      },
    });
    world.attach();
    return Object.assign(world, { begun: () => waitFor(() => reports[0], { what: 'the handler' }) });
  };

  test('is moved by progress, by as long as the task had', async () => {
    const { deliver, begun, clock, kinds } = reporting();
    const delivered = deliver();
    const report = await begun();
    clock.advance(50_000);
    report(0.5);
    await waitFor(() => clock.nextInMs === 60_000, { what: 'the deadline to move' });
    clock.advance(59_999);
    await new Promise(setImmediate);
    expect(kinds()).toEqual(['accepted', 'progress']);
    clock.advance(1);
    await delivered;
    expect(kinds()).toEqual(['accepted', 'progress', 'failed']);
    expect(clock.armed).toBe(0);
  });

  test('is not moved by progress when the assignment excludes it', async () => {
    const { deliver, begun, clock, kinds } = reporting();
    const delivered = deliver({ extendOnProgress: false });
    const report = await begun();
    clock.advance(50_000);
    report(0.5);
    await waitFor(() => kinds().includes('progress'), { what: 'the report' });
    await new Promise(setImmediate);
    clock.advance(10_000);
    await delivered;
    expect(kinds()).toEqual(['accepted', 'progress', 'failed']);
  });

  test('is not moved by progress that the core refuses', async () => {
    const world = reporting();
    world.refuse = (kind) => (kind === 'progress' ? new SwarmError('RATE_LIMITED', 'slow down') : undefined);
    const delivered = world.deliver();
    const report = await world.begun();
    world.clock.advance(50_000);
    report(0.5);
    await waitFor(() => world.errors.length > 0, { what: 'the refusal' });
    world.clock.advance(10_000);
    await delivered;
    expect(world.kinds()).toEqual(['accepted', 'failed']);
  });
});

describe('outputs that are given by reference', () => {
  const completed = (taskId: string, output: Json): SwarmEvent => past('completed', { taskId, output });

  test('are read before the handler begins, and the others left as they are', async () => {
    const given: unknown[] = [];
    const world = workerOf({ work: ({ dependencies }) => void given.push(dependencies) });
    world.attach();
    const names = Array.from({ length: 9 }, (_, index) => `d${index}`);
    world.log.push(...names.map((name, index) => completed(name, { ref: `literal ${index}` })));
    const { read } = world;
    let reading = 0;
    let most = 0;
    world.read = async (input) => {
      most = Math.max(most, (reading += 1));
      await new Promise(setImmediate);
      reading -= 1;
      return read(input);
    };
    const references = names.map((name, index) => [name, { ref: String(index) }]);
    await world.deliver({
      dependencies: { plain: { ref: 1 }, two: { ref: 'a', b: 1 }, ...Object.fromEntries(references) },
    });
    expect(given).toEqual([
      {
        plain: { ref: 1 },
        two: { ref: 'a', b: 1 },
        ...Object.fromEntries(names.map((name, index) => [name, { ref: `literal ${index}` }])),
      },
    ]);
    expect(most).toBe(4);
    expect(world.kinds()).toEqual(['accepted', 'completed']);
  });

  const without = (): Promise<ReadResult> => Promise.resolve({ events: [], next: '0', end: true });
  test.each<[string, () => Promise<ReadResult>, boolean]>([
    ['was removed', () => Promise.reject(new SwarmError('COMPACTED', 'no longer available')), false],
    ['is no completion', without, false],
    [
      'is of another plan',
      async () => ({ ...(await without()), events: [{ position: '0', appendedAt: null, event: ofAnotherPlan }] }),
      false,
    ],
    ['may not be read', () => Promise.reject(new SwarmError('ACL_DENIED', 'not yours')), true],
  ])('fail the task when the event %s', async (_, answer, retryable) => {
    const world = busyWorker();
    world.read = (input) => (input.at === undefined ? without() : answer());
    await world.deliver({ dependencies: { before: { ref: '0' } } });
    expect(world.signals).toEqual([]);
    expect(world.said.at(-1)).toMatchObject({
      kind: 'failed',
      data: {
        error: { retryable, message: expect.stringContaining('the output of the task "before" cannot be read') },
      },
    });
  });
  const ofAnotherPlan = past('completed', { planId: TASK.goalId, taskId: 'before', output: 1 });

  test('are read again while the core does not answer', async () => {
    const world = busyWorker();
    const { read } = world;
    let isAway = true;
    world.read = (input) => {
      if (input.at === undefined || !isAway) return read(input);
      return Promise.reject(new SwarmError('UNAVAILABLE', 'no core'));
    };
    world.log.push(completed('before', 'x'));
    const delivered = world.deliver({ dependencies: { before: { ref: '0' } } });
    await waitFor(() => world.clock.armed === 2, { what: 'the pause' });
    isAway = false;
    world.clock.advance(1);
    world.outcome.resolve('done');
    await delivered;
    expect(world.kinds()).toEqual(['accepted', 'completed']);
  });
});
