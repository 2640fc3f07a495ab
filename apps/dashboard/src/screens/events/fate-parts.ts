// The fate of an event as parts, in the order in which the diagram and the table show them: causes, the event, groups, streams, effects.
import type { EventTrace, GroupFate, LoggedEvent, StreamTrace } from '@hypercode/contracts';
import { fateWords, STREAM_WORDS, type Tone, type Words } from './fate-words.ts';

export type PartKind = 'cause' | 'event' | 'group' | 'stream' | 'effect';

/** A time in which a member had the event. Milliseconds since the epoch. */
export interface FateSpan {
  /** In the address. */
  readonly id: string;
  readonly attempt: number;
  readonly consumer: string | null;
  readonly fromMs: number;
  /** Null: it is open. */
  readonly toMs: number | null;
  /** The deadline of one that is open. */
  readonly dueMs: number | null;
  readonly tone: Tone;
  /** What came of it. */
  readonly outcome: string;
}

export interface FatePart {
  /** In the address. */
  readonly id: string;
  readonly kind: PartKind;
  /** A topic, a group, or who has the stream. */
  readonly name: string;
  readonly words: Words;
  readonly spans: readonly FateSpan[];
  /** Of an event: when it was published. Milliseconds since the epoch. */
  readonly atMs: number | null;
  /** Of a cause or an effect. */
  readonly event: LoggedEvent | null;
  /** Of a stream. */
  readonly topics: readonly string[];
}

export function partsOf(trace: EventTrace): readonly FatePart[] {
  return [
    ...trace.causes.toReversed().map((event) => eventPart('cause', event)),
    thisEvent(trace),
    ...trace.groups.filter(isConcerned).map(groupPart),
    ...trace.streams.list.filter(({ state }) => state !== 'not_matching').map(streamPart),
    ...trace.effects.map((event) => eventPart('effect', event)),
  ];
}

/** Whether the event is something to the group. */
export const isConcerned = ({ state }: GroupFate): boolean => state !== 'not_matching' && state !== 'before_group';

export function admissionWords({ admittedBy }: Pick<EventTrace, 'admittedBy'>): string {
  if (admittedBy === null) return 'not known any more';
  if (admittedBy.rule === null) return 'no policy limits this source';
  return `the rule ${admittedBy.rule}, in version ${admittedBy.policyVersion ?? '?'} of the policy`;
}

const NOTHING = { spans: [], atMs: null, event: null, topics: [] };

function thisEvent(trace: EventTrace): FatePart {
  const { event } = trace.event;
  const rule = trace.admittedBy?.rule ?? null;
  const title = rule === null ? 'admitted' : `admitted by ${rule}`;
  const words: Words = { title, tone: 'good', why: admissionWords(trace) };
  return { ...NOTHING, id: 'event', kind: 'event', name: event.topic, words, atMs: Date.parse(event.time) };
}

function eventPart(kind: 'cause' | 'effect', logged: LoggedEvent): FatePart {
  const { topic, source, time } = logged.event;
  const words: Words = { title: `by ${source}`, tone: 'quiet', why: '' };
  const id = `${kind} ${logged.position}`;
  return { ...NOTHING, id, kind, name: topic, words, atMs: Date.parse(time), event: logged };
}

function streamPart(stream: StreamTrace): FatePart {
  const { replica, caller, since, topics, state } = stream;
  const id = `stream ${replica} ${caller} ${since} ${topics.join(' ')}`.slice(0, 250);
  return { ...NOTHING, id, kind: 'stream', name: caller, words: STREAM_WORDS[state], topics };
}

function groupPart(fate: GroupFate): FatePart {
  const id = `group ${fate.group}`;
  return { ...NOTHING, id, kind: 'group', name: fate.group, words: fateWords(fate), spans: spansOf(fate, id) };
}

function spansOf(fate: GroupFate, part: string): FateSpan[] {
  const { history, state, attempt, consumer, settledBy, deliveredAt, settledAt, dueAt } = fate;
  const failed = history.map((one): FateSpan => ({
    id: `${part} ${one.attempt}`,
    attempt: one.attempt,
    consumer: one.consumer,
    fromMs: Date.parse(one.deliveredAt),
    toMs: Date.parse(one.failedAt),
    dueMs: null,
    tone: 'bad',
    outcome: one.reason ?? 'the deadline passed',
  }));
  const last = attempt ?? history.length + 1;
  const isOpen = state === 'in_flight';
  if (deliveredAt === null || !(isOpen || state === 'acked') || failed.some((one) => one.attempt === last)) {
    return failed;
  }
  const span: FateSpan = {
    id: `${part} ${last}`,
    attempt: last,
    consumer: consumer ?? settledBy,
    fromMs: Date.parse(deliveredAt),
    toMs: isOpen || settledAt === null ? null : Date.parse(settledAt),
    dueMs: isOpen && dueAt !== null ? Date.parse(dueAt) : null,
    tone: isOpen ? 'busy' : 'good',
    outcome: isOpen ? 'under way' : 'acknowledged',
  };
  return [...failed, span];
}
