// `swarm status`: one swarm at a glance.
import type { SwarmOverview } from '@hypercode/client';
import type { StatsSeries, TrafficEdge } from '@hypercode/contracts';
import { type Line, partsOf } from '../../output/parts.ts';
import { countWord } from '../../output/states.ts';
import { printFacts, Table } from '../../output/table.ts';
import { command, flag } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';
import { interrupted } from '../../program/exit-codes.ts';

const METRICS = ['published', 'delivered', 'acked', 'redelivered', 'dead', 'refused'] as const;
/** The statistics are of the last ten minutes. */
const WINDOW_MS = 600_000;

export const status = command({
  path: ['status'],
  summary: 'Show the swarm at a glance',
  details:
    'Show the swarm at a glance: agents, groups, what was published and delivered in the last ten minutes. swarm doctor says what is wrong.',
  calls: ['swarm.overview', 'stats.series', 'stats.traffic'],
  args: {},
  options: { traffic: flag('Also who talks to whom, over the last hour') },
  examples: [
    { run: 'swarm status', does: 'How the swarm is' },
    { run: 'swarm status --traffic', does: 'And who talks to whom' },
    { run: 'swarm status --json', does: 'The same for a script' },
  ],
  async run(context, { options }) {
    const { output, clock } = context;
    const client = await context.client();
    const since = new Date(clock.epochMs() - WINDOW_MS).toISOString();
    const [overview, stats, traffic] = await Promise.all([
      firstOverview(context),
      client.stats.series({ metrics: [...METRICS], since, stepMs: WINDOW_MS }),
      options.traffic ? client.stats.traffic({ windowMs: 3_600_000 }) : null,
    ]);
    const counts = Object.fromEntries(METRICS.map((metric) => [metric, sumOf(stats, metric)]));
    if (output.json) return output.object({ ...overview, lastTenMinutes: counts, ...(traffic && { traffic }) });
    printFacts(output, factsOf(overview, counts));
    if (traffic === null) return;
    output.line();
    const edges = new Table<TrafficEdge>(output, [
      { title: 'count', value: ({ count }) => String(count), align: 'right' },
      { title: 'from', value: ({ source }) => source },
      { title: 'topic', value: ({ topic }) => topic },
      { title: 'to', value: ({ reader }) => `${reader.kind} ${reader.name}` },
    ]);
    for (const edge of traffic.edges) edges.add(edge);
    edges.flush();
    if (traffic.edges.length === 0) output.note('No events were received in the last hour.');
  },
});

/** What the stream of the overview begins with. */
async function firstOverview(context: CommandContext): Promise<SwarmOverview> {
  const client = await context.client();
  for await (const overview of client.overview({ signal: context.signal })) return overview;
  throw interrupted();
}

const sumOf = ({ series }: StatsSeries, metric: (typeof METRICS)[number]): number =>
  (series[metric] ?? []).reduce<number>((sum, value) => sum + (value ?? 0), 0);

function factsOf(overview: SwarmOverview, counts: Readonly<Record<string, number>>): (readonly [string, Line])[] {
  const { namespace, groups, cluster } = overview;
  const sum = (of: (group: (typeof groups)[number]) => number): number =>
    groups.reduce((total, group) => total + of(group), 0);
  const { agents, events } = namespace;
  const stores = Object.entries(cluster.stores).map(
    ([name, store]) => `${name} ${store.ok ? 'answers' : 'DOES NOT ANSWER'}`,
  );
  return [
    ['namespace', namespace.namespace],
    [
      'agents',
      [
        `${agents.total}: ${agents.healthy} healthy, `,
        ...partsOf(countWord(agents.unhealthy)),
        ' unhealthy, ',
        ...partsOf(countWord(agents.open)),
        ' with an open circuit',
      ],
    ],
    [
      'groups',
      `${namespace.groups}: lag ${sum(({ lag }) => lag)}, ${sum(({ inFlight }) => inFlight)} in flight, ${groups.filter(({ paused }) => paused !== null).length} paused`,
    ],
    ['dead letters', countWord(sum(({ deadLetters }) => deadLetters))],
    ['questions', countWord(overview.questions.open, 'yellow')],
    ['events kept', `${events.kept} (${(events.bytes / 2 ** 20).toFixed(1)} MiB)`],
    [
      'last 10 minutes',
      Object.entries(counts)
        .map(([metric, count]) => `${count} ${metric}`)
        .join(', '),
    ],
    ['replicas', `${cluster.replicas.length}; ${stores.join(', ')}`],
  ];
}
