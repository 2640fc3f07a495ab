// Changes delivered a second to 1,000 tRPC SSE watchers, against tRPC's own subscription path and a bare broadcast.
import { get } from 'node:http';
import { CHANGE_MARK, CoreCalls } from '../core-calls.ts';
import type { Figure, Goal } from '../figures.ts';
import { HttpCalls } from '../http-calls.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds } from '../measure/process-usage.ts';
import { type Contender, inFlight, interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import { Watchers, type WatchTarget } from '../watchers/watchers.ts';
import type { Findings, Row } from './row.ts';

const WATCHERS = 1000;
/** Agents that change in one request, and so about the changes in one commit. */
const GROUP = 100;

export const fanOut: Row = {
  name: 'fan-out',
  title: `changes delivered a second to ${WATCHERS} tRPC SSE watchers`,
  measure,
};

interface Delivery {
  perSecond: number;
  /** Of each value, HTTP's framing included. */
  bytes: number;
  /** Processor time for each delivery, in microseconds. */
  serverMicros: number;
  watcherMicros: number;
}

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
  const value = await captureChange(calls, names[0] ?? '');
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
  const fromPeer = (server: Measured, path: string, count: number, group: number): Contender<Delivery> => {
    const target = { url: server.url, path, headers: {}, mark: CHANGE_MARK };
    return async () => {
      const http = new HttpCalls(server.url);
      try {
        return await deliver({ server, target, watcherCount, count }, () =>
          http.post('/emit', { value, count, group }),
        );
      } finally {
        http.close();
      }
    };
  };
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

const costOf = (name: string, deliveries: readonly Delivery[]): string => {
  const of = (pick: (delivery: Delivery) => number) => median(deliveries.map(pick));
  return (
    `${name}: ${Math.round(of(({ bytes }) => bytes))} bytes a value; processor time for each delivery in µs: server ` +
    `${of(({ serverMicros }) => serverMicros).toFixed(2)}, watchers ${of(({ watcherMicros }) => watcherMicros).toFixed(2)}`
  );
};

interface Course {
  server: Measured;
  target: WatchTarget;
  watcherCount: number;
  count: number;
}

/** Opens the watchers, lets `send` send `count` values, and waits until every watcher has them all. */
async function deliver(
  { server, target, watcherCount, count }: Course,
  send: () => Promise<unknown>,
): Promise<Delivery> {
  await using watchers = await Watchers.open(target, watcherCount);
  await watchers.reset();
  const cpuBefore = await cpuSeconds(server.pid);
  const startedNs = process.hrtime.bigint();
  const [arrival] = await Promise.all([watchers.arrival(count), send()]);
  const seconds = Number(arrival.atNs - startedNs) / 1e9;
  const deliveries = count * watcherCount;
  return {
    perSecond: deliveries / seconds,
    bytes: arrival.bytes / deliveries,
    serverMicros: (((await cpuSeconds(server.pid)) - cpuBefore) * 1e6) / deliveries,
    watcherMicros: (arrival.cpuSeconds * 1e6) / deliveries,
  };
}

/** A change as the core sends it, for the others to send the same. */
async function captureChange(calls: CoreCalls, name: string): Promise<unknown> {
  const { url, path, headers } = await calls.watchTarget();
  const request = get(`${url}${path}`, { headers });
  const text = new Promise<string>((resolve, reject) => {
    let received = '';
    request.on('error', reject);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
        const data = /^data: (\{"type":"change".*\})$/m.exec(received)?.[1];
        if (data !== undefined) resolve(data);
      });
      calls.relabel([name], 'captured').catch(reject);
    });
  });
  try {
    return JSON.parse(await text);
  } finally {
    request.destroy();
  }
}
