// The fate of one event: what it is, which rule let it in, and a lane for each group and stream; its causes above, its effects below.
import { Link, useParams, useSearch } from '@tanstack/react-router';
import type { EventTrace, GroupFate, LoggedEvent, StreamTrace } from '@hypercode/contracts';
import type { ReactNode } from 'react';
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
import { fateWords, STREAM_WORDS, TONES, type Words } from './fate-words.ts';
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
      {trace.value !== null && <Fate trace={trace.value} id={id} />}
    </>
  );
}

function Fate({ trace, id }: { readonly trace: EventTrace; readonly id: string }) {
  const { groups, streams, otherGroups, causes, effects, effectsComplete } = trace;
  const concerned = groups.filter(({ state }) => state !== 'not_matching' && state !== 'before_group');
  const matching = streams.list.filter(({ state }) => state !== 'not_matching');
  const rest = streams.list.filter(({ state }) => state === 'not_matching');
  const others = groups.filter((group) => !concerned.includes(group));
  return (
    <>
      {causes.length > 0 && (
        <Section title="Caused by" note="the nearest cause last">
          <Chain events={causes.toReversed()} />
        </Section>
      )}
      <About trace={trace} />
      <Section title="Groups" note={concerned.length === 0 ? 'no group takes it' : undefined}>
        <ul className="flex flex-col gap-2">
          {concerned.map((fate) => (
            <Lane key={fate.group} name={<GroupLink group={fate.group} />} words={fateWords(fate)}>
              <Attempts fate={fate} />
            </Lane>
          ))}
        </ul>
        {others.length > 0 && (
          <details className="mt-2">
            <summary className="w-max cursor-pointer text-faint hover:text-ink">
              {counted(others.length, 'group')} that it does not concern
            </summary>
            <ul className="mt-1 flex flex-col gap-1">
              {others.map((fate) => (
                <Lane key={fate.group} name={<GroupLink group={fate.group} />} words={fateWords(fate)} />
              ))}
            </ul>
          </details>
        )}
        {otherGroups > 0 && <p className="mt-2 text-faint">{counted(otherGroups, 'group')} that you may not see.</p>}
      </Section>
      <Section
        title="Live streams"
        note={
          <>
            as of <At time={streams.asOf} />
          </>
        }
      >
        {matching.length === 0 && <p className="text-faint">No subscription is open that takes it.</p>}
        <ul className="flex flex-col gap-1">
          {matching.map((stream) => (
            <StreamLane key={keyOf(stream)} stream={stream} />
          ))}
        </ul>
        {rest.length > 0 && (
          <details className="mt-2">
            <summary className="w-max cursor-pointer text-faint hover:text-ink">
              {counted(rest.length, 'stream')} of other topics
            </summary>
            <ul className="mt-1 flex flex-col gap-1">
              {rest.map((stream) => (
                <StreamLane key={keyOf(stream)} stream={stream} />
              ))}
            </ul>
          </details>
        )}
        {streams.omitted > 0 && <p className="mt-1 text-faint">{counted(streams.omitted, 'stream')} not listed.</p>}
      </Section>
      <Section
        title="Effects"
        note={
          effectsComplete
            ? counted(effects.length, 'event')
            : `${counted(effects.length, 'event')} so far; the search was cut`
        }
      >
        <Chain events={effects} />
      </Section>
      <Section title="On the command line">
        <CliLine words={['events', 'trace', id]} />
      </Section>
    </>
  );
}

const keyOf = ({ replica, caller, since, topics }: StreamTrace): string =>
  `${replica} ${caller} ${since} ${topics.join()}`;

function About({ trace: { event: logged, kept, duplicates, admittedBy } }: { readonly trace: EventTrace }) {
  const { event, position, appendedAt } = logged;
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
        <Fact name="Admitted by">
          {admittedBy === null
            ? 'not known any more'
            : admittedBy.rule === null
              ? 'no policy limits this source'
              : `the rule ${admittedBy.rule}, in version ${admittedBy.policyVersion ?? '?'} of the policy`}
        </Fact>
        {duplicates > 0 && <Fact name="Published again">{counted(duplicates, 'time')}; the log has it once</Fact>}
        {!kept && <Fact name="Log">Retention has removed it; groups still hold it</Fact>}
      </Facts>
      <div className="mt-3">
        <JsonText label="Data" value={event.data} />
      </div>
    </Section>
  );
}

interface LaneProps {
  readonly name: ReactNode;
  readonly words: Words;
  readonly children?: ReactNode;
}

const Lane = ({ name, words, children }: LaneProps) => (
  <li className="grid grid-cols-[minmax(9rem,14rem)_1fr] gap-4">
    <span className="truncate font-medium">{name}</span>
    <div className="min-w-0 border-l-2 border-line pl-3">
      <span className={`font-medium ${TONES[words.tone]}`}>{shown(words.title)}</span>
      {words.why !== '' && <span className="text-soft"> · {shown(words.why)}</span>}
      {children}
    </div>
  </li>
);

const GroupLink = ({ group }: { readonly group: string }) => (
  <Link to="/groups/$group" params={{ group }} className="hover:underline">
    {group}
  </Link>
);

function Attempts({ fate: { history, deliveredAt, dueAt, settledAt, state } }: { readonly fate: GroupFate }) {
  return (
    <ol className="text-soft">
      {history.map(({ attempt, consumer, deliveredAt: at, failedAt, reason }) => (
        <li key={`${attempt} ${at}`}>
          attempt {attempt}, {shown(consumer)}, <At time={at} /> to <At time={failedAt} />:{' '}
          {reason === null ? 'the deadline passed' : shown(reason)}
        </li>
      ))}
      {deliveredAt !== null && (
        <li>
          delivered <At time={deliveredAt} />
          {settledAt !== null && (
            <>
              , settled <At time={settledAt} />
            </>
          )}
          {state === 'in_flight' && dueAt !== null && (
            <>
              , due by <At time={dueAt} />
            </>
          )}
        </li>
      )}
    </ol>
  );
}

const StreamLane = ({ stream: { caller, topics, state } }: { readonly stream: StreamTrace }) => (
  <Lane name={shown(caller)} words={STREAM_WORDS[state]}>
    <span className="font-mono text-[12px] text-faint"> {topics.join(', ')}</span>
  </Lane>
);

/** Events that led to one another. */
const Chain = ({ events }: { readonly events: readonly LoggedEvent[] }) => (
  <ol className="flex flex-col gap-1">
    {events.map(({ position, event }) => (
      <li key={position} className="grid grid-cols-[5.5rem_minmax(12rem,1fr)_minmax(8rem,1fr)] gap-3">
        <span className="text-faint">
          <At time={event.time} />
        </span>
        <Link
          to="/events/$id"
          params={{ id: event.id }}
          search={{ source: event.source }}
          className="truncate font-mono text-[12px] text-accent hover:underline"
        >
          {event.topic}
        </Link>
        <span className="truncate text-soft">{shown(event.source)}</span>
      </li>
    ))}
  </ol>
);
