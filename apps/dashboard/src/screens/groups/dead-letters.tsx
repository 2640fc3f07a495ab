// The events that a group has given up on, by why, each with its history; and what can be done with one, some or all of them.
import type { DeadLetter, FailedAttempt } from '@hypercode/contracts';
import { useState } from 'react';
import { Age, At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { countText, counted, durationText } from '../../parts/duration.ts';
import { Code, Fact, Facts, Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { byReason, type DeadForReason } from './by-reason.ts';

/** How many are read at first, and at most. */
const FIRST = 50;
const MOST = 500;
/** Longest data of an event that is shown, in characters. */
const SHOWN_LENGTH = 20_000;

interface DeadLettersProps {
  readonly group: string;
  /** How many there are, as the overview has it: the list is read again when it changes. */
  readonly count: number;
}

export function DeadLetters({ group, count }: DeadLettersProps) {
  const client = useClient();
  const [limit, setLimit] = useState(FIRST);
  const reading = useReading(`${group} ${count} ${limit}`, (signal) =>
    client.bus.deadLetters({ group, limit }, { signal }),
  );
  const letters = reading.value?.deadLetters ?? [];
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
          <Acts group={group} what={{ all: true, count }} words="all" />
          {byReason(letters).map((dead) => (
            <Reason key={dead.reason ?? ''} group={group} dead={dead} />
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

function Reason({ group, dead: { reason, letters } }: { readonly group: string; readonly dead: DeadForReason }) {
  const title = reason === null ? 'The deadline of the last attempt passed' : shown(reason);
  return (
    <section aria-label={title} className="rounded border border-line">
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-ground/60 px-3 py-2">
        <h3 className="min-w-0 flex-1 font-medium break-words text-bad">{title}</h3>
        <span className="text-faint">{countText(letters.length)}</span>
        {letters.length > 1 && (
          <Acts group={group} what={{ deliveryIds: letters.map(({ deliveryId }) => deliveryId) }} words="these" />
        )}
      </header>
      <ul>
        {letters.map((letter) => (
          <Letter key={letter.deliveryId} group={group} letter={letter} />
        ))}
      </ul>
    </section>
  );
}

function Letter({ group, letter }: { readonly group: string; readonly letter: DeadLetter }) {
  const { deliveryId, position, event, deadAt, history } = letter;
  return (
    <li className="border-b border-line/60 px-3 py-1.5 last:border-b-0">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <span className="min-w-0 flex-1 font-mono text-[12px] break-all">{shown(event.topic)}</span>
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
          <pre className="max-h-72 overflow-auto rounded border border-line bg-ground p-2.5 font-mono text-[12px] leading-[18px]">
            {dataText(event.data)}
          </pre>
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

function dataText(data: unknown): string {
  const text = (JSON.stringify(data, null, 2) ?? 'no data').split('\n').map(shown).join('\n');
  return text.length > SHOWN_LENGTH
    ? `${text.slice(0, SHOWN_LENGTH)}\n… ${countText(text.length - SHOWN_LENGTH)} more characters`
    : text;
}

type Chosen = { readonly all: true; readonly count: number } | { readonly deliveryIds: string[] };

interface ActsProps {
  readonly group: string;
  readonly what: Chosen;
  /** After the verb on the buttons. */
  readonly words: 'all' | 'these' | '';
}

function Acts({ group, what, words }: ActsProps) {
  const client = useClient();
  const mayRedrive = useMay('bus.redrive');
  const mayDiscard = useMay('bus.discard');
  const isAll = 'all' in what;
  const count = isAll ? what.count : what.deliveryIds.length;
  const choice = isAll ? { group, all: true as const } : { group, deliveryIds: what.deliveryIds };
  const chosen = isAll ? ['--all'] : what.deliveryIds;
  const letters = counted(count, 'dead letter');
  if (!mayRedrive && !mayDiscard) return null;
  return (
    <span className="inline-flex gap-2">
      {mayRedrive && (
        <ConfirmAct
          verb={words === '' ? 'Redrive' : `Redrive ${words}`}
          title={`Redrive ${letters} of ${group}`}
          cli={['dead', 'redrive', group, ...chosen]}
          act={() => client.bus.redrive(choice)}
        >
          {count === 1 ? 'The event is' : 'The events are'} handed out to the group again, beginning with attempt 1. The
          handlers have to take {count === 1 ? 'an event' : 'events'} that they may have begun before.
        </ConfirmAct>
      )}
      {mayDiscard && (
        <ConfirmAct
          verb={words === '' ? 'Discard' : `Discard ${words}`}
          title={`Discard ${letters} of ${group}`}
          cli={['dead', 'discard', group, ...chosen]}
          isDangerous
          act={() => client.bus.discard(choice)}
        >
          The group never processes {count === 1 ? 'this event' : 'these events'}, and the history of the attempts is
          lost. The log keeps the {count === 1 ? 'event' : 'events'} for as long as it keeps others.
        </ConfirmAct>
      )}
    </span>
  );
}
