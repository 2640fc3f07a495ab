// Memory of each idle watcher, against an idle connection of a bare node:http server.
import { CHANGE_MARK, CoreCalls } from '../core-calls.ts';
import type { Figure } from '../figures.ts';
import { type Memory, memoryOf } from '../measure/memory.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import { Watchers, type WatchTarget } from '../watchers/watchers.ts';
import type { Findings, Row } from './row.ts';

const STEP = 1000;

export const idleWatchers: Row = {
  name: 'idle-watchers',
  title: 'memory of each idle tRPC SSE watcher',
  measure,
};

/** KiB for each watcher. */
interface Growth {
  /** Resident memory, from none to the first thousand. */
  first: number;
  /** From the first thousand to the second. */
  second: number;
  /** JavaScript heap, over both. */
  heap: number;
}

async function measure(rig: Rig): Promise<Findings> {
  const databases = new Map<number, string>();
  const contenders = {
    // A new process each time: memory that was used once is seldom given back.
    core: async (round: number) => {
      await using stack = new AsyncDisposableStack();
      const url = databases.get(round) ?? (await rig.database());
      databases.set(round, url);
      const core = await rig.core(stack, { DATABASE_URL: url });
      const calls = new CoreCalls(core);
      stack.defer(() => calls.close());
      await calls.registerAll(Array.from({ length: 100 }, (_, index) => sampleAgent(index, 100)));
      return await growthOf(core, await calls.watchTarget());
    },
    bare: async () => {
      await using stack = new AsyncDisposableStack();
      const bare = await rig.server(stack, 'bare-server');
      return await growthOf(bare, { url: bare.url, path: '/', headers: {}, mark: CHANGE_MARK });
    },
  };
  const rounds = await interleave(contenders, rig.rounds);
  const of = (name: keyof typeof contenders, part: keyof Growth) => rounds[name].map((growth) => growth[part]);
  const figure = (what: string, part: keyof Growth, goal: Pick<Figure, 'goal'>): Figure => ({
    what,
    value: median(of('core', part)),
    unit: 'KiB',
    reference: { what: 'bare connection', value: median(of('bare', part)) },
    ratio: medianRatio(of('core', part), of('bare', part)),
    ...goal,
  });
  return {
    figures: [
      figure(`idle watcher, 0 to ${STEP}`, 'first', { goal: { of: 'value', atMost: 40 } }),
      figure(`idle watcher, ${STEP} to ${STEP * 2}`, 'second', { goal: { of: 'value', atMost: 40 } }),
      figure('idle watcher, JavaScript heap alone', 'heap', {}),
    ],
    notes: ['growth of resident memory after a garbage collection, over the number of watchers'],
    rounds,
  };
}

async function growthOf(server: Measured, target: WatchTarget): Promise<Growth> {
  // Code that has never run takes memory of its own when it first does.
  const warmUp = await Watchers.open(target, 200);
  await warmUp.close();
  const none = await memoryOf(server);
  await using watchers = await Watchers.open(target, STEP);
  const first = await memoryOf(server);
  await watchers.more(target, STEP);
  const second = await memoryOf(server);
  const kibEach = (part: keyof Memory, from: Memory, to: Memory, count: number) =>
    (to[part] - from[part]) / count / 1024;
  return {
    first: kibEach('rss', none, first, STEP),
    second: kibEach('rss', first, second, STEP),
    heap: kibEach('heapUsed', none, second, STEP * 2),
  };
}
