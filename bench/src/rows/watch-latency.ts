// From the start of a registration to its change at a watcher: on the same core, and on another one.
import { Agent, get, type ClientRequest } from 'node:http';
import { CoreCalls } from '../core-calls.ts';
import { EtcdGrpc } from '../etcd.ts';
import type { Figure } from '../figures.ts';
import { type Latency, latencyOf } from '../measure/latency.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { interleave } from '../measure/rounds.ts';
import type { Measured, Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import type { Findings, Row } from './row.ts';

export const watchLatency: Row = {
  name: 'watch-latency',
  title: 'from a registration to its change at a watcher',
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const count = rig.size(500, 100);
  const withRedis = { DATABASE_URL: await rig.database(), REDIS_URL: (await rig.redis()).url };
  const without = { DATABASE_URL: await rig.database() };
  const contenders: Record<string, (round: number) => Promise<Latency>> = {};
  for (const [name, env] of Object.entries({ redis: withRedis, notify: without })) {
    // One after the other: the first one migrates.
    const writer = await rig.core(stack, { ...env, SWARM_ADMIN_TOKEN: 'bench-admin-token-of-two-cores' });
    const other = await rig.core(stack, { ...env, SWARM_ADMIN_TOKEN: 'bench-admin-token-of-two-cores' });
    const calls = new CoreCalls(writer);
    stack.defer(() => calls.close());
    for (const [where, watched] of Object.entries({ same: writer, other })) {
      if (name === 'notify' && where === 'same') continue;
      const contender = `${name} ${where}`;
      contenders[contender] = async (round) => changes(calls, watched, count, `${name[0]}${where[0]}${round + 1}-`);
    }
  }
  const etcd = await rig.etcd();
  if (etcd !== null) contenders['etcd'] = () => etcdEvents(etcd.url, count);

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(-1);
  const rounds = await interleave(contenders, rig.rounds);

  const of = (name: string, part: keyof Latency) => (rounds[name] ?? []).map((latency) => latency[part]);
  const figure = (what: string, name: string, part: keyof Latency): Figure => ({
    what,
    value: median(of(name, part)),
    unit: 'ms',
    ...(etcd === null
      ? {}
      : {
          reference: { what: 'etcd put to watch', value: median(of('etcd', part)) },
          ratio: medianRatio(of(name, part), of('etcd', part)),
        }),
  });
  const places = {
    'redis same': 'same core',
    'redis other': 'other core, Redis',
    'notify other': 'other core, NOTIFY',
  };
  return {
    figures: Object.entries(places).flatMap(([name, place]) => [
      figure(`registration to watcher, ${place}, p50`, name, 'p50Ms'),
      figure(`registration to watcher, ${place}, p99`, name, 'p99Ms'),
    ]),
    notes: ['one registration at a time, the watcher in the process that registers; etcd has one node'],
    rounds,
  };
}

/** Registers one agent after the other, each when the watcher has seen the one before. */
async function changes(calls: CoreCalls, watched: Measured, count: number, prefix: string): Promise<Latency> {
  const { request, seen } = await watch(watched);
  const latenciesMs: number[] = [];
  try {
    for (let index = 0; index < count; index++) {
      const agent = sampleAgent(index, count, prefix);
      const started = performance.now();
      const arrived = seen(agent.name);
      const registered = calls.register(agent);
      latenciesMs.push((await arrived) - started);
      await registered;
    }
  } finally {
    request.destroy();
  }
  return latencyOf(latenciesMs);
}

interface Watch {
  request: ClientRequest;
  /** Resolves to the time at which the agent of this name is in a change. */
  seen(name: string): Promise<number>;
}

async function watch(core: Measured): Promise<Watch> {
  const calls = new CoreCalls(core);
  const { url, path, headers } = await calls.watchTarget();
  calls.close();
  let wanted: { text: string; resolve: (at: number) => void } | null = null;
  let received = '';
  const request = get(`${url}${path}`, { headers, agent: new Agent() });
  await new Promise<void>((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('error', () => undefined);
      response.on('data', (chunk: string) => {
        received += chunk;
        if (received.includes('"synced"')) resolve();
        if (wanted === null || !received.includes(wanted.text)) return;
        received = '';
        wanted.resolve(performance.now());
      });
    });
  });
  return {
    request,
    seen: (name) => new Promise((resolve) => (wanted = { text: `"name":"${name}"`, resolve })),
  };
}

/** The same with etcd: puts on one key, and a watch on it, on one connection each. */
async function etcdEvents(url: string, count: number): Promise<Latency> {
  const writer = new EtcdGrpc(url);
  const watcher = new EtcdGrpc(url);
  const latenciesMs: number[] = [];
  let arrived = Promise.withResolvers<number>();
  const stop = await watcher.watch('watched', () => arrived.resolve(performance.now()));
  try {
    for (let index = 0; index < count; index++) {
      const value = Buffer.from(JSON.stringify(sampleAgent(index, count)));
      arrived = Promise.withResolvers<number>();
      const started = performance.now();
      const put = writer.put('watched', value);
      latenciesMs.push((await arrived.promise) - started);
      await put;
    }
  } finally {
    stop();
    await writer.close();
    await watcher.close();
  }
  return latencyOf(latenciesMs);
}
