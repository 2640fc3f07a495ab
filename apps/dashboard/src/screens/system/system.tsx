// The replicas and stores, what the core published itself, and the statistics of the last hour or day.
import { systemClock } from '@hypercode/clock';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Age, At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { countText, durationText } from '../../parts/duration.ts';
import { Code, Empty, Fact, Facts, ScreenHead, Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { useClient, useNotices, useNow, useOverview } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { Chart } from './chart.tsx';

export function System() {
  const { overview } = useOverview();
  if (overview === null) {
    return (
      <>
        <ScreenHead title="System" count="reading…" />
        <Empty title="Waiting for the core." />
      </>
    );
  }
  const { cluster, namespace } = overview;
  return (
    <>
      <ScreenHead title="System" />
      <Section title="Stores">
        <div className="grid grid-cols-2 gap-6 max-lg:grid-cols-1">
          <Store name="Agents, policies, tokens" store={cluster.stores.database} />
          <Store name="Events and groups" store={cluster.stores.events} />
        </div>
      </Section>
      <Section title="Replicas">
        <Replicas replicas={cluster.replicas} />
      </Section>
      <Section title={`Namespace ${namespace.namespace}`}>
        <Facts>
          <Fact name="Agents">
            {countText(namespace.agents.total)}, {countText(namespace.agents.healthy)} healthy,{' '}
            {countText(namespace.agents.unhealthy)} unhealthy, {countText(namespace.agents.open)} with an open circuit
          </Fact>
          <Fact name="Events kept">
            {countText(namespace.events.kept)}, {bytesText(namespace.events.bytes)}
          </Fact>
          <Fact name="Groups">{countText(namespace.groups)}</Fact>
          <Fact name="Mass-failure guard">{cluster.suspended.includes(namespace.namespace) ? 'holds' : 'at rest'}</Fact>
        </Facts>
      </Section>
      <Figures />
      <Notices />
    </>
  );
}

type Overview = NonNullable<ReturnType<typeof useOverview>['overview']>;

function Store({ name, store }: { readonly name: string; readonly store: Overview['cluster']['stores']['database'] }) {
  return (
    <Facts>
      <Fact name={name}>
        {store.kind} {store.version ?? ''}
      </Fact>
      <Fact name="State">
        {store.ok ? (
          <span className="text-good">answers</span>
        ) : (
          <span className="text-bad">does not answer, or takes no writes</span>
        )}
        {store.latencyMs !== null && <span className="text-faint"> in {store.latencyMs.toFixed(1)} ms</span>}
      </Fact>
    </Facts>
  );
}

function Replicas({ replicas }: { readonly replicas: Overview['cluster']['replicas'] }) {
  const now = useNow();
  return (
    <div className="overflow-x-auto">
      <table className="w-full text-left">
        <thead className="text-[12px] text-faint">
          <tr>
            {['Host', 'Version', 'Up', 'Seen', 'Watches', 'Subscriptions', 'Consumers', 'Memory', 'Timers late by'].map(
              (head) => (
                <th key={head} className="py-1 pr-6 font-normal whitespace-nowrap">
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {replicas.map(({ id, host, version, startedAt, seenAt, streams, rssBytes, eventLoopP99Ms }) => (
            <tr key={id} className="border-t border-line">
              <td className="py-1.5 pr-6" title={id}>
                {shown(host)}
              </td>
              <td className="pr-6">{version}</td>
              <td className="pr-6">{durationText(now - Date.parse(startedAt))}</td>
              <td className="pr-6">
                <Age at={seenAt} />
              </td>
              <td className="pr-6">{countText(streams.watch)}</td>
              <td className="pr-6">{countText(streams.subscribe)}</td>
              <td className="pr-6">{countText(streams.consume)}</td>
              <td className="pr-6">{bytesText(rssBytes)}</td>
              <td>{eventLoopP99Ms.toFixed(0)} ms (p99)</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** How far back, and in which steps: as many points as a chart has room for. */
const SPANS = {
  hour: { title: 'Last hour', stepMs: 60_000, spanMs: 3_600_000, each: 'each minute' },
  day: { title: 'Last day', stepMs: 900_000, spanMs: 86_400_000, each: 'each quarter of an hour' },
} as const;

function Figures() {
  const { span = 'hour' } = useSearch({ from: '/system' });
  const navigate = useNavigate({ from: '/system' });
  const client = useClient();
  const { title, stepMs, spanMs, each } = SPANS[span];
  const stats = useReading(span, (signal) =>
    client.stats.series(
      {
        metrics: ['published', 'delivered', 'acked', 'redelivered', 'dead', 'refused', 'publishP99Ms'],
        since: new Date(systemClock.epochMs() - spanMs).toISOString(),
        stepMs,
      },
      { signal },
    ),
  );
  const { value } = stats;
  return (
    <Section
      title={title}
      note={
        <span className="inline-flex items-center gap-3">
          <Tabs
            label="Time"
            value={span}
            values={{ hour: 'Hour', day: 'Day' }}
            onChange={(wanted) =>
              void navigate({
                search: (before) => ({ ...before, span: wanted === 'hour' ? undefined : wanted }),
                replace: true,
              })
            }
          />
          <ReadAt reading={stats} />
        </span>
      }
    >
      <Refused reading={stats} />
      {value !== null && (
        <div className="grid grid-cols-2 gap-x-8 gap-y-4 max-lg:grid-cols-1">
          <Chart title={`Published, ${each}`} stats={value} metrics={['published', 'refused']} />
          <Chart title={`Deliveries, ${each}`} stats={value} metrics={['delivered', 'acked']} />
          <Chart title={`Failed attempts, ${each}`} stats={value} metrics={['redelivered', 'dead']} />
          <Chart title="Time of a publish (p99, ms)" stats={value} metrics={['publishP99Ms']} />
        </div>
      )}
    </Section>
  );
}

function Notices() {
  const { notices } = useNotices();
  return (
    <Section title="Notices of the core" note="since this page was opened">
      {notices.length === 0 && <p className="text-faint">None.</p>}
      <ul className="flex flex-col gap-1">
        {notices.map(({ position, event }) => (
          <li key={position} className="grid grid-cols-[5rem_16rem_1fr] gap-3">
            <span className="text-faint">
              <At time={event.time} />
            </span>
            <Code>{event.topic}</Code>
            <span className="min-w-0 truncate font-mono text-[12px] text-soft">
              {shown(JSON.stringify(event.data))}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(power === 0 ? 0 : 1)} ${units[power]}`;
}
