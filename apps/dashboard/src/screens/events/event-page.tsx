// One event: its fate as a diagram and as a table, with one selection, and what it is.
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { EventTrace } from '@hypercode/contracts';
import { useMemo } from 'react';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { CliLine } from '../../parts/cli-line.tsx';
import { counted } from '../../parts/duration.ts';
import { JsonText } from '../../parts/json-text.tsx';
import { Code, Empty, Fact, Facts, ScreenHead, Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { CopyAs } from './copy-menu.tsx';
import { FateDiagram } from './fate-diagram.tsx';
import { admissionWords, isConcerned, partsOf } from './fate-parts.ts';
import { FateTable } from './fate-table.tsx';
import { PublishEvent } from './publish-event.tsx';

export function EventPage() {
  const { id } = useParams({ from: '/events/$id' });
  const { source } = useSearch({ from: '/events/$id' });
  const client = useClient();
  const trace = useReading(`${id} ${source ?? ''}`, (signal) =>
    client.bus.trace({ id, ...(source === undefined ? {} : { source }) }, { signal }),
  );
  const title = (
    <>
      <Link to="/events" className="font-normal text-faint hover:text-ink">
        Events
      </Link>
      <span className="px-1.5 font-normal text-faint">/</span>
      <span className="font-mono text-[13px]">{trace.value?.event.event.topic ?? shown(id)}</span>
    </>
  );
  return (
    <>
      <ScreenHead title={title} count={<ReadAt reading={trace} />}>
        {trace.value !== null && (
          <>
            <CopyAs event={trace.value.event.event} />
            <PublishEvent again={trace.value.event.event} />
          </>
        )}
      </ScreenHead>
      {trace.error?.code === 'NOT_FOUND' ? (
        <Empty title="Neither the log nor a group has this event.">
          It was never published here, or retention has removed it.
        </Empty>
      ) : (
        <Refused reading={trace} />
      )}
      {trace.value !== null && <Fate trace={trace.value} id={id} nowMs={trace.readAtMs ?? 0} />}
    </>
  );
}

interface FateProps {
  readonly trace: EventTrace;
  readonly id: string;
  /** When the trace was read. */
  readonly nowMs: number;
}

function Fate({ trace, id, nowMs }: FateProps) {
  const { part: selected } = useSearch({ from: '/events/$id' });
  const navigate = useNavigate({ from: '/events/$id' });
  const parts = useMemo(() => partsOf(trace), [trace]);
  const select = (part: string): void => {
    const change = { part: part === selected ? undefined : part };
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  };
  return (
    <>
      <Section
        title="Fate"
        note={
          <>
            live streams as of <At time={trace.streams.asOf} />
          </>
        }
      >
        <FateDiagram parts={parts} nowMs={nowMs} selected={selected} onSelect={select} />
        <FateTable parts={parts} selected={selected} onSelect={select} />
        <Rest trace={trace} />
      </Section>
      <About trace={trace} />
      <Section title="On the command line">
        <CliLine words={['events', 'trace', id]} />
      </Section>
    </>
  );
}

/** What is not in the table, and why. */
function Rest({ trace: { groups, otherGroups, streams, effectsComplete } }: { readonly trace: EventTrace }) {
  const others = groups.filter((group) => !isConcerned(group));
  const rest = streams.list.filter(({ state }) => state === 'not_matching');
  const lines = [
    ...(groups.length === others.length ? ['No group takes it.'] : []),
    ...(streams.list.length === rest.length ? ['No live stream takes it.'] : []),
    ...(otherGroups > 0 ? [`${counted(otherGroups, 'group')} that you may not see.`] : []),
    ...(streams.omitted > 0 ? [`${counted(streams.omitted, 'stream')} not listed.`] : []),
    ...(effectsComplete ? [] : ['The search for effects was cut: there may be more.']),
  ];
  return (
    <div className="mt-2 flex flex-col gap-1 text-faint">
      {lines.map((line) => (
        <p key={line}>{line}</p>
      ))}
      {others.length > 0 && (
        <details>
          <summary className="w-max cursor-pointer hover:text-ink">
            {counted(others.length, 'group')} that it does not concern
          </summary>
          <ul className="mt-1 text-soft">
            {others.map(({ group, state }) => (
              <li key={group}>
                <Link to="/groups/$group" params={{ group }} className="hover:underline">
                  {group}
                </Link>
                : {state === 'before_group' ? 'the group began after it' : 'the topics of the group leave it out'}
              </li>
            ))}
          </ul>
        </details>
      )}
      {rest.length > 0 && (
        <details>
          <summary className="w-max cursor-pointer hover:text-ink">
            {counted(rest.length, 'stream')} of other topics
          </summary>
          <ul className="mt-1 text-soft">
            {rest.map(({ replica, caller, since, topics }) => (
              <li key={`${replica} ${caller} ${since} ${topics.join()}`}>
                {shown(caller)}: <span className="font-mono text-[12px]">{topics.map(shown).join(', ')}</span>
              </li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

function About({ trace }: { readonly trace: EventTrace }) {
  const { kept, duplicates } = trace;
  const { event, position, appendedAt } = trace.event;
  return (
    <Section title="Event">
      <Facts>
        <Fact name="Topic">
          <Link to="/events" search={{ topic: event.topic }} className="font-mono text-[12px] hover:underline">
            {event.topic}
          </Link>
        </Fact>
        <Fact name="Source">
          <Link to="/events" search={{ source: event.source }} className="hover:underline">
            {shown(event.source)}
          </Link>
        </Fact>
        <Fact name="Id">
          <Code>{event.id}</Code>
        </Fact>
        <Fact name="Position">
          <Code>{position}</Code>
          {appendedAt !== null && (
            <span className="text-faint">
              {' '}
              appended <At time={appendedAt} />
            </span>
          )}
        </Fact>
        {event.correlationId !== undefined && (
          <Fact name="Correlation">
            <Link
              to="/events"
              search={{ correlation: event.correlationId }}
              className="font-mono text-[12px] hover:underline"
            >
              {shown(event.correlationId)}
            </Link>
          </Fact>
        )}
        <Fact name="Admitted by">{admissionWords(trace)}</Fact>
        {duplicates > 0 && <Fact name="Published again">{counted(duplicates, 'time')}; the log has it once</Fact>}
        {!kept && <Fact name="Log">Retention has removed it; groups still hold it</Fact>}
      </Facts>
      <div className="mt-3">
        <JsonText label="Data" value={event.data} />
      </div>
    </Section>
  );
}
