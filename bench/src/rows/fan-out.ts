// Changes delivered a second to 1,000 tRPC SSE watchers, against tRPC's own subscription path and a bare broadcast.
import { CHANGE_MARK, CoreCalls } from '../core-calls.ts';
import { captureValue, costOf, deliver, deliverFrom, type Delivery } from '../delivery.ts';
import type { Figure, Goal } from '../figures.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { type Contender, inFlight, interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import type { Findings, Row } from './row.ts';

const WATCHERS = 1000;
/** Agents that change in one request, and so about the changes in one commit. */
const GROUP = 100;

export const fanOut: Row = {
  name: 'fan-out',
  title: `changes delivered a second to ${WATCHERS} tRPC SSE watchers`,
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const watcherCount = rig.size(WATCHERS, 1000);
  const burst = rig.size(2000, 500);
  const single = rig.size(300, 60);
  const trpcBurst = rig.size(40, 10);

  const core = await rig.core(stack, { DATABASE_URL: await rig.database() });
  const calls = new CoreCalls(core);
  stack.defer(() => calls.close());
  const agents = Array.from({ length: GROUP * 4 }, (_, index) => sampleAgent(index, 1000));
  const names = (await calls.registerAll(agents)).map(({ agent }) => agent.name);
  const value = await captureValue(await calls.watchTarget(), () => calls.relabel(names.slice(0, 1), 'captured'));
  const trpc = await rig.server(stack, 'trpc-server');
  const bare = await rig.server(stack, 'bare-server');

  /** The names of group `index`: neighbours differ, so that no change waits for one before it. */
  const groupOf = (index: number) => names.slice((index % 4) * GROUP, ((index % 4) + 1) * GROUP);
  let label = 0;
  const fromCore = (count: number, group: number): Contender<Delivery> => {
    return async () => {
      const target = await calls.watchTarget();
      return deliver({ server: core, target, watcherCount, count }, () =>
        inFlight(group === 1 ? 1 : 2, count / group, (index) =>
          calls.relabel(groupOf(index).slice(0, group), `t-${++label}`),
        ),
      );
    };
  };
  const fromPeer =
    (server: Measured, path: string, count: number, group: number): Contender<Delivery> =>
    () =>
      deliverFrom(server, { path, mark: CHANGE_MARK }, { watcherCount, value, count, group });
  const contenders = {
    core: fromCore(burst, GROUP),
    bareGrouped: fromPeer(bare, '/', burst, GROUP),
    bareSingle: fromPeer(bare, '/', burst, 1),
    trpc: fromPeer(trpc, '/trpc/watch', trpcBurst, 1),
    coreSingle: fromCore(single, 1),
  };
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(-1);
  const rounds = await interleave(contenders, rig.rounds);

  const rates = (name: keyof typeof contenders) => rounds[name].map(({ perSecond }) => perSecond);
  const figure = (
    what: string,
    ours: 'core' | 'coreSingle',
    [name, peer, goal]: [string, keyof typeof contenders, Goal?],
  ) =>
    ({
      what,
      value: median(rates(ours)),
      unit: '/s',
      reference: { what: name, value: median(rates(peer)) },
      ratio: medianRatio(rates(ours), rates(peer)),
      ...(goal === undefined ? {} : { goal }),
    }) satisfies Figure;
  const many = `delivered to ${watcherCount}, ${GROUP} changes a commit`;
  const one = `delivered to ${watcherCount}, 1 change a commit`;
  return {
    figures: [
      figure(many, 'core', ["tRPC's own path", 'trpc', { of: 'ratio', atLeast: 30 }]),
      figure(many, 'core', [`bare broadcast, ${GROUP} a write`, 'bareGrouped', { of: 'ratio', atLeast: 0.7 }]),
      figure(many, 'core', ['bare broadcast, 1 a write', 'bareSingle']),
      figure(one, 'coreSingle', ['bare broadcast, 1 a write', 'bareSingle']),
    ],
    notes: [
      `from the first call that changes something to the last value at the last watcher, commits included; ${burst} ` +
        `changes in groups, ${single} one by one (one call at a time), ${trpcBurst} values for tRPC's path`,
      ...Object.entries(rounds).map(([name, deliveries]) => costOf(name, deliveries)),
    ],
    rounds,
  };
}
