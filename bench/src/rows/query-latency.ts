// How long queries take at 1,000, 10,000 and 100,000 agents, of each kind and all in turns.
import { AgentRegistration } from '@hypercode/contracts';
import { createLocalSignal } from '@hypercode/feed';
import { migrate, openDatabase } from '@hypercode/stores';
import { systemClock } from '@hypercode/clock';
import { AgentMirror, createRegistry, registrySchema } from '@hypercode/registry';
import { Client } from 'pg';
import { CoreCalls, queryPath } from '../core-calls.ts';
import type { Figure } from '../figures.ts';
import { HttpCalls } from '../http-calls.ts';
import { median, medianRatio, percentile } from '../measure/percentiles.ts';
import { inFlight, interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import {
  capabilities,
  COMMON_WORD,
  randomOf,
  rareWord,
  REGIONS,
  ROLES,
  sampleAgent,
  teamName,
  teamsAmong,
} from '../sample-agents.ts';
import type { Findings, Row } from './row.ts';

/** Cursors from all over the order of names. */
const PAGES_KEPT = 20;

export const queryLatency: Row = {
  name: 'query-latency',
  title: 'queries among 1,000, 10,000 and 100,000 agents',
  measure,
};

/** One query; `random` gives numbers from 0 to 1. */
type Kind = (population: number, random: () => number) => object;

const anyOf = <T>(list: readonly T[], random: () => number): T => list[Math.floor(random() * list.length)] as T;
const anyTeam = (population: number, random: () => number) => Math.floor(random() * teamsAmong(population));

const KINDS: Record<string, Kind> = {
  'role + capability': (_, random) => ({ role: anyOf(ROLES, random), capability: anyOf(capabilities, random) }),
  'label of few': (population, random) => ({ labels: { team: teamName(anyTeam(population, random)) } }),
  'label of many': (_, random) => ({ labels: { region: anyOf(REGIONS, random) } }),
  topic: (population, random) => ({ topic: `metrics.${teamName(anyTeam(population, random))}.cpu` }),
  'rare word': (population, random) => ({ text: rareWord(anyTeam(population, random)) }),
  'common word': () => ({ text: COMMON_WORD }),
  'two words': (population, random) => ({ text: `${COMMON_WORD} ${rareWord(anyTeam(population, random))}` }),
  'first page': () => ({}),
};
const MIDDLE = 'page in the middle';

interface Population {
  size: number;
  http: HttpCalls;
  /** Paths of queries by kind, to be asked in turns. */
  pathsOf: (random: () => number) => [kind: string, path: string][];
}

/** Milliseconds of every query of a round, by kind. */
type Samples = Record<string, number[]>;

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const sizes = rig.quick ? [500, 5000, 20_000] : [1000, 10_000, 100_000];
  const turns = rig.size(100, 30);
  const populations: Population[] = [];
  for (const size of sizes) populations.push(await populate(rig, stack, size));
  const contenders = Object.fromEntries(
    populations.map((population) => [String(population.size), (round: number) => ask(population, turns, round)]),
  );
  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(99);
  const rounds = await interleave(contenders, rig.rounds);

  const [smallest = 0, , largest = 0] = sizes;
  const of = (size: number, kind: string | null, percent: number): number[] =>
    (rounds[String(size)] ?? []).map((samples) =>
      percentile(kind === null ? Object.values(samples).flat() : (samples[kind] ?? []), percent),
    );
  const figure = (kind: string | null, percent: number, size: number): Figure => ({
    what: `query, ${kind ?? 'all kinds'}, p${percent} at ${size.toLocaleString('en-GB')}`,
    value: median(of(size, kind, percent)),
    unit: 'ms',
    reference: { what: `at ${smallest.toLocaleString('en-GB')}`, value: median(of(smallest, kind, percent)) },
    ratio: medianRatio(of(size, kind, percent), of(smallest, kind, percent)),
    ...(percent === 99 && kind === null && size === largest ? { goal: { of: 'ratio', atMost: 3 } } : {}),
  });
  const kinds = [...Object.keys(KINDS), MIDDLE];
  return {
    figures: [
      ...sizes.slice(1).flatMap((size) => [figure(null, 50, size), figure(null, 99, size)]),
      ...kinds.flatMap((kind) => [figure(kind, 50, largest), figure(kind, 99, largest)]),
    ],
    notes: [
      'each size in a database and behind a core of its own; one query at a time over one kept connection, pages of 50; ' +
        '`vacuum analyze` once after filling, as autovacuum would; 99th percentiles of a kind are over ' +
        `${turns} queries a round`,
    ],
    rounds,
  };
}

async function populate(rig: Rig, stack: AsyncDisposableStack, size: number): Promise<Population> {
  const url = await rig.database();
  rig.say(`  filling a database with ${size} agents`);
  await fill(url, size);
  const core = await rig.core(stack, { DATABASE_URL: url });
  const calls = new CoreCalls(core);
  const cursors: string[] = [];
  const limit = Math.min(500, Math.floor(size / PAGES_KEPT));
  let cursor: string | null = null;
  do {
    const page = await calls.query(cursor === null ? { limit } : { limit, cursor });
    cursor = page.nextCursor;
    if (cursor !== null) cursors.push(cursor);
  } while (cursor !== null);
  const every = Math.max(1, Math.floor(cursors.length / PAGES_KEPT));
  const kept = cursors.filter((_, index) => index % every === 0);
  calls.close();
  const http = new HttpCalls(core.url, undefined, { authorization: `Bearer ${core.adminToken}` });
  stack.defer(() => http.close());
  return {
    size,
    http,
    pathsOf: (random) => [
      ...Object.entries(KINDS).map(([kind, query]): [string, string] => [kind, queryPath(query(size, random))]),
      [MIDDLE, queryPath({ cursor: anyOf(kept, random) })],
    ],
  };
}

/** Through the registry itself, so that everything is as it would be; without waiting for the disk. */
async function fill(url: string, size: number): Promise<void> {
  const hasty = new URL(url);
  hasty.searchParams.set('options', '-c synchronous_commit=off');
  const database = await openDatabase({ url: hasty.href });
  const fail = (error: unknown) => {
    throw error;
  };
  try {
    await migrate(database.kysely, [registrySchema]);
    const signal = createLocalSignal({ onError: fail });
    const retention = { maxChanges: 100_000, maxAgeMs: 3_600_000 };
    const registry = createRegistry({
      database,
      signal,
      clock: systemClock,
      mirror: new AgentMirror(),
      staticTokens: [],
      tokenNameRestMs: 0,
      leaseMs: 30_000,
      retention,
      notices: {},
      onError: fail,
    });
    const by = { kind: 'admin', id: 'bench', name: 'bench' } as const;
    await inFlight(512, size, (index) =>
      registry.registrations.register(AgentRegistration.parse(sampleAgent(index, size)), by),
    );
    await registry.close();
    await signal.close();
  } finally {
    await database.close();
  }
  const client = new Client({ connectionString: url });
  await client.connect();
  await client.query('vacuum analyze');
  await client.end();
}

/** Every kind once in each turn. */
async function ask({ http, pathsOf, size }: Population, turns: number, round: number): Promise<Samples> {
  const samples: Samples = {};
  const random = randomOf(round * 7919 + size);
  for (let turn = 0; turn < turns; turn++) {
    for (const [kind, path] of pathsOf(random)) {
      const started = performance.now();
      const text = await http.get(path);
      (samples[kind] ??= []).push(performance.now() - started);
      // A team may have nobody who works on the common thing; everything else is found by somebody's own word.
      if (kind !== 'two words' && !text.includes('"id":'))
        throw new Error(`The query for ${kind} found nothing: ${path}`);
    }
  }
  return samples;
}
