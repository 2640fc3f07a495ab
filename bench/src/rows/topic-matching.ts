// What it costs to find who receives an event, with up to 1,000 audiences and 10,000 topics: by itself, and in a core.
import { projectionOf } from '@hypercode/bus/testing';
import { matches } from '@hypercode/contracts';
import { Broadcast, Feed } from '@hypercode/feed';
import { waitFor } from '@hypercode/testkit';
import { type BusAgent, joinBus } from '../bus-agent.ts';
import type { Figure } from '../figures.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds } from '../measure/process-usage.ts';
import { inFlight, interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { randomOf } from '../sample-agents.ts';
import { sampleData } from '../sample-events.ts';
import { patternAt, PATTERNS, topicAt, TOPICS } from '../sample-topics.ts';
import { Watchers } from '../watchers/watchers.ts';
import { subscribeTarget } from './subscribers.ts';
import type { Findings, Row } from './row.ts';

const COUNTS = [1, 100, PATTERNS] as const;
/** Entries that a feed is handed at a time. */
const GROUP = 100;
/** What a core keeps in memory of a log. */
const RING_LIMITS = { maxEntries: 8192, maxBytes: 32 * 1024 * 1024 };
/** Events under way at a time. */
const IN_FLIGHT = 500;

export const topicMatching: Row = {
  name: 'topic-matching',
  title: `handing events of ${TOPICS} topics to ${PATTERNS} audiences`,
  measure,
};

interface Handing {
  /** Microseconds for an event of a topic that was not received since the audiences changed. */
  firstMicros: number;
  /** For one of a topic that was. */
  laterMicros: number;
  /** Audiences that received an event, on average. */
  received: number;
}

interface Delivering {
  /** Processor time of the core for an event of a topic that its subscribers had not received, in microseconds. */
  firstMicros: number;
  /** For one of a topic that they had. */
  laterMicros: number;
}

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const handings = rig.size(200_000, 50_000);
  /** In the core. */
  const sizes = { topics: rig.size(TOPICS, 2000), passes: rig.size(3, 2) };
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database(), REDIS_URL: redisUrl });
  const agent = await joinBus(stack, core);

  rig.say('  warming up');
  await handTo(PATTERNS, handings);
  await publishTo(core, agent, { patterns: 1, ...sizes });
  const alone = await interleave(
    Object.fromEntries(COUNTS.map((patterns) => [patterns, () => handTo(patterns, handings)])),
    rig.rounds,
  );
  const inCore = await interleave(
    Object.fromEntries(COUNTS.map((patterns) => [patterns, () => publishTo(core, agent, { patterns, ...sizes })])),
    rig.rounds,
  );
  const figure =
    (what: string, unit: string, of: (patterns: number) => number[]) =>
    (patterns: number): Figure => ({
      what: `${what}, ${patterns} patterns`,
      value: median(of(patterns)),
      unit,
      reference: { what: '1 pattern', value: median(of(1)) },
      ratio: medianRatio(of(patterns), of(1)),
    });
  const later = figure('handing over an event', 'µs', (patterns) => pick(alone, patterns, 'laterMicros'));
  const first = figure("a topic's first event", 'µs', (patterns) => pick(alone, patterns, 'firstMicros'));
  const laterInCore = figure('an event in the core', 'µs', (patterns) => pick(inCore, patterns, 'laterMicros'));
  const firstInCore = figure("a topic's first event in the core", 'µs', (patterns) =>
    pick(inCore, patterns, 'firstMicros'),
  );
  const heardBy = (patterns: number) => `${median(pick(alone, patterns, 'received')).toFixed(2)} of ${patterns}`;
  return {
    figures: [later, first, laterInCore, firstInCore].flatMap((figureOf) => [figureOf(100), figureOf(PATTERNS)]),
    notes: [
      `an event is received by ${COUNTS.map(heardBy).join(', ')}; handing over is a feed's entries to its broadcast, ` +
        `${GROUP} at a time, in this process, without anybody who reads; a topic's first event is the first since a ` +
        'subscriber with another pattern came or went',
      `in the core: its processor time from the publish to the last delivery, on Redis, ${IN_FLIGHT} in flight, an SSE ` +
        `subscriber for each pattern, ${sizes.topics} topics, each once and then ${sizes.passes} times more`,
    ],
    rounds: { alone, inCore },
  };
}

const pick = <K extends string>(rounds: Record<string, Record<K, number>[]>, patterns: number, part: K): number[] =>
  (rounds[patterns] ?? []).map((one) => one[part]);

type Entry = Parameters<ReturnType<typeof projectionOf>['project']>[0];
type Position = Entry['position'];

async function handTo(patterns: number, events: number): Promise<Handing> {
  const start: Position = { epoch: 'bench', seq: 0, nonce: 0 };
  const feed = await Feed.follow<Position, Entry>(
    {
      read: async () => [],
      begin: async () => start,
      compare: (a, b) => a.seq - b.seq,
      sizeOf: ({ text }) => text.length,
    },
    { limits: RING_LIMITS, readLimit: GROUP, onError: rethrow },
  );
  const broadcast = new Broadcast<Position, Entry, string>(feed, { routeOf: ({ topic }) => topic });
  let received = 0;
  for (let index = 0; index < patterns; index++) {
    const projection = projectionOf({ patterns: [patternAt(index)], hidden: [] }, ({ text }) => {
      received += 1;
      return text;
    });
    broadcast.join(projection);
  }
  const text = JSON.stringify(sampleData(1, 'task-0001'));
  let seq = 0;
  /** Microseconds for each of `count` events. */
  const offer = (count: number, topicOf: (index: number) => string): number => {
    const groups: Entry[][] = [];
    for (let from = 0; from < count; from += GROUP) {
      const entryAt = (_: unknown, index: number): Entry => {
        seq += 1;
        return { position: { ...start, seq, nonce: 1 }, appendedAtMs: 0, topic: topicOf(from + index), text };
      };
      groups.push(Array.from({ length: GROUP }, entryAt));
    }
    const started = performance.now();
    for (const group of groups) feed.offer(group, () => true);
    return ((performance.now() - started) * 1000) / count;
  };
  const firstMicros = offer(TOPICS, topicAt);
  received = 0;
  const random = randomOf(patterns);
  const laterMicros = offer(events, () => topicAt(Math.floor(random() * TOPICS)));
  await feed.close();
  return { firstMicros, laterMicros, received: received / events };
}

interface Course {
  patterns: number;
  topics: number;
  /** How often each topic is used after its first event. */
  passes: number;
}

async function publishTo(core: Measured, agent: BusAgent, { patterns, topics, passes }: Course): Promise<Delivering> {
  const { client } = agent;
  const { position } = await client.publish('bench.begin', null);
  const targetOf = (index: number) =>
    subscribeTarget(core, agent, { topics: [patternAt(index)], from: { after: position } });
  await using watchers = await Watchers.open(targetOf(0), 1);
  for (let index = 1; index < patterns; index++) await watchers.more(targetOf(index), 1);
  let heardOnce = 0;
  for (let index = 0; index < topics; index++) heardOnce += audienceOf(topicAt(index), patterns);

  const microsOf = async (times: number): Promise<number> => {
    await watchers.reset();
    const before = await cpuSeconds(core.pid);
    const events = topics * times;
    await inFlight(IN_FLIGHT, events, (index) =>
      client.publish(topicAt(index % topics), sampleData(index, 'task-0001')),
    );
    const expected = heardOnce * times;
    await waitFor(async () => (await watchers.counted()).total >= expected, {
      what: `${expected} deliveries`,
      timeoutMs: 60_000,
    });
    return (((await cpuSeconds(core.pid)) - before) * 1e6) / events;
  };
  return { firstMicros: await microsOf(1), laterMicros: await microsOf(passes) };
}

function audienceOf(topic: string, patterns: number): number {
  let count = 0;
  for (let index = 0; index < patterns; index++) if (matches(patternAt(index), topic)) count += 1;
  return count;
}

function rethrow(error: unknown): never {
  throw error;
}
