// Who really talks to whom: which events of which sources were received by whom, over a window of time.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo } from 'react';
import { counted, countText } from '../../parts/duration.ts';
import { Choice, SearchField } from '../../parts/fields.tsx';
import { Empty, ScreenHead } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { DeclaredLists } from './declared-lists.tsx';
import type { MapSearch } from './map-search.ts';
import { Matrix } from './matrix.tsx';
import { TalkDetail } from './talk-detail.tsx';
import { partiesOf, talksOf } from './talks.ts';

const TalkGraph = lazy(async () => ({ default: (await import('./talk-graph.tsx')).TalkGraph }));

const MINUTES = ['1', '5', '15', '30'] as const;
const MINUTE_MS = 60_000;
/** A graph of more is a tangle. */
const MOST_IN_GRAPH = 60;

export function SwarmMap() {
  const { view, minutes = 60, text = '', talk: selectedKey } = useSearch({ from: '/map' });
  const client = useClient();
  const navigate = useNavigate({ from: '/map' });
  const traffic = useReading(String(minutes), (signal) =>
    client.stats.traffic({ windowMs: minutes * MINUTE_MS }, { signal }),
  );
  const edges = traffic.value?.edges;
  const found = useMemo(() => talksOf(edges ?? [], text), [edges, text]);
  const parties = useMemo(() => partiesOf(found), [found]);
  const selected = found.talks.find(({ key }) => key === selectedKey);
  const set = useCallback(
    (change: MapSearch) => {
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const setText = useCallback((typed: string) => set({ text: typed === '' ? undefined : typed }), [set]);
  const select = useCallback((talk: string) => set({ talk }), [set]);
  const other = traffic.value?.other ?? 0;
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Map" count={traffic.value === null ? 'reading…' : counted(parties.length, 'participant')}>
        <ReadAt reading={traffic} />
        <SearchField label="Name or topic" value={text} onChange={setText} />
        <Choice
          label="last"
          none="60 min"
          value={MINUTES.find((one) => Number(one) === minutes)}
          values={MINUTES}
          wordOf={(one) => `${one} min`}
          onChange={(one) => set({ minutes: one === undefined ? undefined : Number(one) })}
        />
        <Tabs
          label="View"
          value={view ?? 'matrix'}
          values={{ matrix: 'Matrix', graph: 'Graph', declared: 'Declared' }}
          onChange={(one) => set({ view: one === 'matrix' ? undefined : one })}
        />
      </ScreenHead>
      <Refused reading={traffic} />
      {traffic.value !== null && view === 'declared' && (
        <DeclaredLists edges={traffic.value.edges} minutes={minutes} text={text} />
      )}
      {traffic.value !== null && view !== 'declared' && found.talks.length === 0 && (
        <Empty title={text === '' ? 'Nobody received an event.' : 'No event matches.'}>
          In the last {counted(minutes, 'minute')}, no group and no stream of this namespace was handed{' '}
          {text === '' ? 'an event' : `one that has to do with "${text}"`}.
        </Empty>
      )}
      {traffic.value !== null && view !== 'declared' && found.talks.length > 0 && (
        <div className="flex min-h-0 flex-1 max-lg:flex-col">
          <div className="min-h-0 min-w-0 flex-1 overflow-auto">
            {view !== 'graph' && <Matrix talks={found} selected={selected?.key} onSelect={select} />}
            {view === 'graph' && parties.length > MOST_IN_GRAPH && (
              <Empty title={`${countText(parties.length)} participants are too many for a graph.`}>
                A graph shows at most {MOST_IN_GRAPH}. Search for a name or a topic, or use the matrix.
              </Empty>
            )}
            {view === 'graph' && parties.length <= MOST_IN_GRAPH && (
              <Suspense fallback={null}>
                <TalkGraph
                  parties={parties}
                  talks={found.talks}
                  selected={selected?.key}
                  onSelect={select}
                  onParty={(name) => setText(name)}
                />
              </Suspense>
            )}
          </div>
          {selected !== undefined && <TalkDetail talk={selected} onClose={() => set({ talk: undefined })} />}
        </div>
      )}
      <footer className="flex h-9 shrink-0 items-center gap-3 border-t border-line px-5 text-faint">
        <span>What was received counts, by whom it was received; whole minutes.</span>
        {other > 0 && <span>{counted(other, 'event')} on rarer ways are in none of these.</span>}
      </footer>
    </div>
  );
}
