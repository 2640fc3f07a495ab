// The events that a group has given up on, by why, each with its history; and what can be done with one, some or all of them.
import { Link } from '@tanstack/react-router';
import { actOnDeadLetters, type DeadLetterAct } from '@hypercode/client';
import type { DeadLetter, FailedAttempt, GroupInfo } from '@hypercode/contracts';
import { useEffect, useRef, useState } from 'react';
import { Age, At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { countText, counted, durationText } from '../../parts/duration.ts';
import { JsonText } from '../../parts/json-text.tsx';
import { Code, Fact, Facts, Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { byReason, type DeadForReason } from './by-reason.ts';

/** How many are read at first, and at most. */
const FIRST = 50;
const MOST = 500;

interface DeadLettersProps {
  /** As the overview has it: the list is read again when its count of dead letters changes. */
  readonly info: GroupInfo;
}

/** How many died for a reason, when the list does not have all: the group counts its commonest reasons. Null: it is not counted. */
const deadOf = ({ deadByReason }: GroupInfo, reason: string | null): number | null =>
  deadByReason.find((one) => one.reason === reason)?.count ?? null;

export function DeadLetters({ info }: DeadLettersProps) {
  const client = useClient();
  const { group, deadLetters: count } = info;
  const [limit, setLimit] = useState(FIRST);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const reading = useReading(`${group} ${limit}`, (signal) => client.bus.deadLetters({ group, limit }, { signal }));
  // The list stays while it is read again, and with it a dialog that a person has opened in it.
  const { again } = reading;
  const readFor = useRef(count);
  useEffect(() => {
    if (readFor.current !== count) again();
    readFor.current = count;
  }, [count, again]);
  const letters = reading.value?.deadLetters ?? [];
  // What was settled meanwhile is selected no more.
  const chosen = letters.map(({ deliveryId }) => deliveryId).filter((id) => selected.has(id));
  const select = (id: string): void => {
    const next = new Set(chosen);
    if (!next.delete(id)) next.add(id);
    setSelected(next);
  };
  const isCut = reading.value !== null && reading.value.nextCursor !== null;
  const note =
    count === 0 ? 'none' : isCut ? `the first ${countText(letters.length)} of ${countText(count)}` : countText(count);
  return (
    <Section
      title="Dead letters"
      note={
        <span className="inline-flex items-baseline gap-3">
          {note}
          {count > 0 && <ReadAt reading={reading} />}
        </span>
      }
    >
      <Refused reading={reading} />
      {letters.length > 0 && (
        <div className="flex flex-col gap-4">
          <div className="flex flex-wrap items-center gap-3">
            <Acts group={group} what={{ all: true, count }} words="all" />
            {chosen.length > 0 && (
              <>
                <Acts group={group} what={{ deliveryIds: chosen }} words="selected" />
                <Button kind="quiet" onClick={() => setSelected(new Set())}>
                  Select none
                </Button>
              </>
            )}
          </div>
          {byReason(letters).map((dead) => (
            <Reason
              key={dead.reason ?? ''}
              group={group}
              dead={dead}
              count={isCut ? deadOf(info, dead.reason) : dead.letters.length}
              selected={selected}
              onSelect={select}
            />
          ))}
          {isCut && limit < MOST && (
            <Button className="self-start" onClick={() => setLimit(MOST)}>
              Show more
            </Button>
          )}
        </div>
      )}
    </Section>
  );
}

interface ReasonProps {
  readonly group: string;
  readonly dead: DeadForReason;
  /** Of the whole group; null: not counted. */
  readonly count: number | null;
  readonly selected: ReadonlySet<string>;
  readonly onSelect: (deliveryId: string) => void;
}

function Reason({ group, dead: { reason, letters }, count, selected, onSelect }: ReasonProps) {
  const title = reason === null ? 'The deadline of the last attempt passed' : shown(reason);
  return (
    <section aria-label={title} className="rounded border border-line">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-ground/60 px-3 py-2">
        <h3 className="min-w-0 flex-1 font-medium break-words text-bad">{title}</h3>
        <span className="text-faint">{countText(count ?? letters.length)}</span>
        {letters.length > 1 && <Acts group={group} what={{ reason, count }} words="these" />}
      </header>
      <ul>
        {letters.map((letter) => (
          <Letter
            key={letter.deliveryId}
            group={group}
            letter={letter}
            isSelected={selected.has(letter.deliveryId)}
            onSelect={onSelect}
          />
        ))}
      </ul>
    </section>
  );
}

interface LetterProps {
  readonly group: string;
  readonly letter: DeadLetter;
  readonly isSelected: boolean;
  readonly onSelect: (deliveryId: string) => void;
}

function Letter({ group, letter, isSelected, onSelect }: LetterProps) {
  const mayAct = useMay('bus.redrive');
  const { deliveryId, position, event, deadAt, history } = letter;
  return (
    <li className="border-b border-line/60 px-3 py-1.5 last:border-b-0">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        {mayAct && (
          <input
            type="checkbox"
            aria-label={`Select the event ${event.id}`}
            checked={isSelected}
            onChange={() => onSelect(deliveryId)}
          />
        )}
        <Link
          to="/events/$id"
          params={{ id: event.id }}
          search={{ source: event.source }}
          className="min-w-0 flex-1 font-mono text-[12px] break-all hover:underline"
        >
          {shown(event.topic)}
        </Link>
        <span className="text-faint">
          died <Age at={deadAt} /> after {counted(history.length, 'attempt')}
        </span>
        <span className="inline-flex gap-2">
          <Acts group={group} what={{ deliveryIds: [deliveryId] }} words="" />
        </span>
      </div>
      <details className="mt-0.5">
        <summary className="w-max cursor-pointer text-faint hover:text-ink">History and event</summary>
        <div className="mt-2 flex flex-col gap-3 pb-2">
          <History attempts={history} />
          <Facts>
            <Fact name="Event">
              <Code>{shown(event.id)}</Code>
            </Fact>
            <Fact name="Source">
              <Code>{shown(event.source)}</Code>
            </Fact>
            <Fact name="Position">
              <Code>{position}</Code>
            </Fact>
          </Facts>
          <JsonText label="Data" value={event.data} />
        </div>
      </details>
    </li>
  );
}

function History({ attempts }: { readonly attempts: readonly FailedAttempt[] }) {
  return (
    <ol className="flex flex-col gap-1">
      {attempts.map(({ attempt, consumer, deliveredAt, failedAt, reason }) => (
        <li key={`${attempt} ${failedAt}`} className="grid grid-cols-[5rem_max-content_1fr] gap-4">
          <span className="text-faint">Attempt {attempt}</span>
          <span>
            {shown(consumer)} at <At time={deliveredAt} /> for{' '}
            {durationText(new Date(failedAt).getTime() - new Date(deliveredAt).getTime())}
          </span>
          <span className="min-w-0 break-words text-soft">
            {reason === null ? 'its deadline passed' : shown(reason)}
          </span>
        </li>
      ))}
    </ol>
  );
}

type Chosen =
  | { readonly all: true; readonly count: number }
  /** `count`: how many there are; null: not counted yet. */
  | { readonly reason: string | null; readonly count: number | null }
  | { readonly deliveryIds: readonly string[] };

interface ActsProps {
  readonly group: string;
  readonly what: Chosen;
  /** After the verb on the buttons. */
  readonly words: 'all' | 'these' | 'selected' | '';
}

const EFFECT: Record<DeadLetterAct, (isOne: boolean) => string> = {
  redrive: (isOne) =>
    `${isOne ? 'The event is' : 'The events are'} handed out to the group again, beginning with attempt 1. The handlers have to take ` +
    `${isOne ? 'an event' : 'events'} that they may have begun before.`,
  discard: (isOne) =>
    `The group never processes ${isOne ? 'this event' : 'these events'}, and the history of the attempts is lost. The log keeps the ` +
    `${isOne ? 'event' : 'events'} for as long as it keeps others.`,
};

function Acts(props: ActsProps) {
  return (
    <span className="inline-flex gap-2">
      <Act {...props} act="redrive" verb="Redrive" />
      <Act {...props} act="discard" verb="Discard" />
    </span>
  );
}

function wordsFor(what: Chosen): readonly string[] {
  if ('deliveryIds' in what) return what.deliveryIds;
  if (!('reason' in what)) return ['--all'];
  return what.reason === null ? ['--no-reason'] : ['--reason', what.reason];
}

function Act({ group, what, words, act, verb }: ActsProps & { readonly act: DeadLetterAct; readonly verb: string }) {
  const client = useClient();
  if (!useMay(`bus.${act}`)) return null;
  const count = 'deliveryIds' in what ? what.deliveryIds.length : what.count;
  const letters = count === null ? 'the dead letters of this reason' : counted(count, 'dead letter');
  const whole = { client, group, act };
  return (
    <ConfirmAct
      verb={words === '' ? verb : `${verb} ${words}`}
      title={`${verb} ${letters} of ${group}`}
      cli={['dead', act, group, ...wordsFor(what)]}
      isDangerous={act === 'discard'}
      act={async (_reason, { report, signal }) => {
        if ('deliveryIds' in what) return client.bus[act]({ group, deliveryIds: [...what.deliveryIds] });
        const onProgress = (done: number): void =>
          report(count === null ? `${countText(done)} done` : `${countText(done)} of ${countText(count)} done`);
        const isWanted = 'reason' in what ? { isWanted: (letter: DeadLetter) => letter.reason === what.reason } : {};
        return actOnDeadLetters({ ...whole, ...isWanted, onProgress, signal });
      }}
    >
      {EFFECT[act](count === 1)}
      {!('deliveryIds' in what) && ' It is done in pages, and can be stopped between two of them.'}
    </ConfirmAct>
  );
}
