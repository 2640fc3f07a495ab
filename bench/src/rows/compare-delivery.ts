// A stream of the core to many connections, against tRPC's own subscription path and a bare broadcast of the same values.
import { costOf, deliverFrom, type Delivery } from '../delivery.ts';
import type { Figure, Goal } from '../figures.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { type Contender, interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import type { Findings } from './row.ts';

/** Values that one call of the row sends together, and so about those in one write of the core. */
export const GROUP = 100;

export interface ComparedStream {
  watcherCount: number;
  /** What begins every counted value on the wire, and nothing else. */
  mark: string;
  /** What the peers send: a value that the core sent. */
  value: unknown;
  /** Delivers `count` values of the core, sent in groups of `group`. */
  fromCore: (count: number, group: number) => Contender<Delivery>;
  /** The row's names of what was measured: values sent in groups, and one by one. */
  many: string;
  one: string;
  /** From what until what was measured. */
  span: string;
}

export async function compareDelivery(
  rig: Rig,
  stack: AsyncDisposableStack,
  { watcherCount, mark, value, fromCore, many, one, span }: ComparedStream,
): Promise<Findings> {
  const burst = rig.size(2000, 500);
  const single = rig.size(300, 60);
  const trpcBurst = rig.size(40, 10);
  const trpc = await rig.server(stack, 'trpc-server');
  const bare = await rig.server(stack, 'bare-server');
  const fromPeer =
    (server: Measured, path: string, count: number, group: number): Contender<Delivery> =>
    () =>
      deliverFrom(server, { path, mark }, { watcherCount, value, count, group });
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
  ): Figure => ({
    what,
    value: median(rates(ours)),
    unit: '/s',
    reference: { what: name, value: median(rates(peer)) },
    ratio: medianRatio(rates(ours), rates(peer)),
    ...(goal === undefined ? {} : { goal }),
  });
  return {
    figures: [
      figure(many, 'core', ["tRPC's own path", 'trpc', { of: 'ratio', atLeast: 30 }]),
      figure(many, 'core', [`bare broadcast, ${GROUP} a write`, 'bareGrouped', { of: 'ratio', atLeast: 0.7 }]),
      figure(many, 'core', ['bare broadcast, 1 a write', 'bareSingle']),
      figure(one, 'coreSingle', ['bare broadcast, 1 a write', 'bareSingle']),
    ],
    notes: [
      `${span}; ${burst} values in groups, ${single} one by one (one call at a time), ${trpcBurst} for tRPC's path`,
      ...Object.entries(rounds).map(([name, deliveries]) => costOf(name, deliveries)),
    ],
    rounds,
  };
}
