// The events of the namespace, the newest first, live. Looking takes nothing from any group.
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { LoggedEvent } from '@hypercode/contracts';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { counted } from '../../parts/duration.ts';
import { SearchField } from '../../parts/fields.tsx';
import { Code, Empty, ScreenHead } from '../../parts/panel.tsx';
import { Cell, Head, Rows } from '../../parts/rows.tsx';
import { Store, useStore } from '../../swarm/store.ts';
import { useClient, useNamespace } from '../../swarm/swarm-context.tsx';
import { type EventFilterSearch, isPast } from './event-filter.ts';
import { Jump } from './jump.tsx';
import { PublishEvent } from './publish-event.tsx';
import { NO_TAIL, Tail } from './tail.ts';
import { TopicPanel } from './topic-panel.tsx';
import { useWhere } from './use-where.ts';

const COLUMNS = '5.5rem minmax(12rem,1.3fr) minmax(8rem,.8fr) minmax(14rem,3fr)';
const NOTHING = new Store(NO_TAIL);

export function Events() {
  const { ns: _, tree: hasTree = false, ...filter } = useSearch({ from: '/events' });
  const client = useClient();
  const namespace = useNamespace();
  const navigate = useNavigate({ from: '/events' });
  const [tail, setTail] = useState<Tail | null>(null);
  const [isHeld, setHeld] = useState(false);
  const where = useWhere(filter.where);
  const key = JSON.stringify(filter);
  useEffect(() => {
    if (where.state !== 'ready') return undefined;
    const opened = new Tail({ client, filter, where: where.test });
    setTail(opened);
    setHeld(false);
    return () => opened.close();
  }, [client, key, where]);
  const { feed, events, held, perSecond, older, isReadingOlder } = useStore(tail?.view ?? NOTHING);
  const set = useCallback(
    (change: EventFilterSearch) => {
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const setters = useMemo(
    () => ({
      topic: (text: string) => set({ topic: text === '' ? undefined : text }),
      source: (text: string) => set({ source: text === '' ? undefined : text }),
      correlation: (text: string) => set({ correlation: text === '' ? undefined : text }),
      where: (text: string) => set({ where: text === '' ? undefined : text }),
    }),
    [set],
  );
  const hold = (wanted: boolean): void => {
    setHeld(wanted);
    tail?.hold(wanted);
  };
  const open = ({ event }: LoggedEvent): void => {
    void navigate({ to: '/events/$id', params: { id: event.id }, search: { source: event.source } });
  };
  const rate = !isPast(filter) ? `${perSecond.toFixed(perSecond < 10 ? 1 : 0)} a second` : 'as they were';
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Events" count={feed.state === 'opening' ? 'reading…' : rate}>
        <Jump onPosition={(at) => set({ at, until: undefined })} />
        {!isPast(filter) && (
          <Button onClick={() => hold(!isHeld)} aria-pressed={isHeld}>
            {isHeld ? `Show ${counted(held, 'new event')}` : 'Hold'}
          </Button>
        )}
        <PublishEvent />
      </ScreenHead>
      <div role="search" className="flex flex-wrap items-center gap-2 border-b border-line px-5 py-2">
        <Button aria-pressed={hasTree} onClick={() => set({ tree: hasTree ? undefined : true })}>
          Topics
        </Button>
        <SearchField label="Topic or pattern" value={filter.topic ?? ''} onChange={setters.topic} />
        <SearchField label="Source" value={filter.source ?? ''} onChange={setters.source} />
        <SearchField label="Correlation id" value={filter.correlation ?? ''} onChange={setters.correlation} />
        <SearchField label="Data, as a JSONPath" value={filter.where ?? ''} onChange={setters.where} />
        <Before value={filter.until} onChange={(until) => set({ until, at: undefined })} />
      </div>
      {feed.state === 'refused' && (
        <p role="alert" className="bg-bad-wash px-5 py-2 text-bad">
          {feed.reason}
        </p>
      )}
      {where.state === 'wrong' && (
        <p role="alert" className="bg-bad-wash px-5 py-2 text-bad">
          {where.fault}
        </p>
      )}
      {filter.at !== undefined && (
        <p className="flex items-center gap-3 border-b border-line bg-accent-wash px-5 py-1.5">
          <span>
            Only the event at <Code>{shown(filter.at)}</Code>.
          </span>
          <Button kind="quiet" onClick={() => set({ at: undefined })}>
            Show all
          </Button>
        </p>
      )}
      <div className="flex min-h-0 flex-1 max-lg:flex-col">
        {hasTree && <TopicPanel selected={filter.topic} onSelect={(topic) => set({ topic })} />}
        <div className="flex min-h-0 min-w-0 flex-1 flex-col">
          {events.length > 0 && (
            <Rows
              label="Events"
              items={events}
              keyOf={({ position }) => position}
              columns={COLUMNS}
              onOpen={open}
              head={
                <>
                  <Head>Time</Head>
                  <Head>Topic</Head>
                  <Head>Source</Head>
                  <Head>Data</Head>
                </>
              }
              row={drawEvent}
            />
          )}
          {events.length === 0 && feed.state === 'live' && (
            <Empty title="No event matches.">
              {key === '{}'
                ? `Nothing was published in the namespace ${namespace} yet.`
                : older === null
                  ? 'The whole log was searched.'
                  : 'The newest events were searched; older ones may match.'}
            </Empty>
          )}
        </div>
      </div>
      <footer className="flex h-9 items-center gap-3 border-t border-line px-5 text-faint">
        <span>Looking takes nothing from any group.</span>
        {older !== null && (
          <Button kind="quiet" className="ml-auto" disabled={isReadingOlder} onClick={() => void tail?.readOlder()}>
            {isReadingOlder ? 'Reading…' : 'Read older events'}
          </Button>
        )}
      </footer>
    </div>
  );
}

const drawEvent = (logged: LoggedEvent) => <EventRow logged={logged} />;

function EventRow({ logged: { event } }: { readonly logged: LoggedEvent }) {
  return (
    <>
      <Cell className="text-faint">
        <At time={event.time} />
      </Cell>
      <Cell>
        <Link
          to="/events/$id"
          params={{ id: event.id }}
          search={{ source: event.source }}
          className="font-mono text-[12px] hover:underline"
          tabIndex={-1}
        >
          {event.topic}
        </Link>
      </Cell>
      <Cell className="text-soft">{shown(nameOf(event.source))}</Cell>
      <Cell className="font-mono text-[12px] text-soft">{shown(JSON.stringify(event.data).slice(0, 400))}</Cell>
    </>
  );
}

/** `/agents/default/ada` is `ada`, since the namespace is that of the page. */
const nameOf = (source: string): string => source.replace(/^\/agents\/[^/]+\//, '');

/** A jump to a time. */
function Before({ value, onChange }: BeforeProps) {
  const local = value === undefined ? '' : toLocal(value);
  return (
    <label className="inline-flex h-7 items-center rounded border border-strong-line/50 bg-raised pl-2">
      <span className="text-faint">before</span>
      <input
        type="datetime-local"
        step="1"
        className="h-full bg-transparent px-1"
        value={local}
        onChange={(event) => {
          const time = new Date(event.target.value);
          onChange(Number.isNaN(time.getTime()) ? undefined : time.toISOString());
        }}
      />
    </label>
  );
}

interface BeforeProps {
  readonly value: string | undefined;
  readonly onChange: (until: string | undefined) => void;
}

function toLocal(time: string): string {
  const date = new Date(time);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}
