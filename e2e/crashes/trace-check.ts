// What of a trace contradicts what members and operators were answered, or what the group itself shows.
import { type GroupFate, type LoggedEvent, TopicSet } from '@hypercode/contracts';
import {
  type Ack,
  deliveryNamed,
  EventHistory,
  type GroupHistory,
  type HandedOut,
  type Outcome,
  placeOf,
  type Span,
} from './group-history.ts';
import type { GroupView } from './group-view.ts';

const mayBeDone = ({ outcome }: { outcome: Outcome }): boolean => outcome !== 'none';
const isDone = ({ outcome }: { outcome: Outcome }): boolean => outcome === 'done';
const latestLife = (settled: readonly { life: number }[]): number => Math.max(-1, ...settled.map(({ life }) => life));

/** Faults that are shown of a group. */
const MOST = 10;
/** Between the clock of a store and ours, at most. */
const CLOCK_MS = 5;

/**
 * What the members themselves saw that cannot be: a delivery that came twice, an event that was settled twice in a life, work during a
 * pause or of other topics.
 */
export function faultsOf(history: GroupHistory): string[] {
  const faults = history.failures.map((failure) => `unexplained: ${JSON.stringify(failure)} ${String(failure)}`);
  for (const [position, { handedOut, acks }] of history.events) {
    const ids = new Set<string>();
    for (const { deliveryId } of handedOut) {
      if (ids.has(deliveryId)) faults.push(`${deliveryId} was handed out twice`);
      ids.add(deliveryId);
    }
    const settled = new Map<number, Ack>();
    for (const ack of acks.filter(isDone)) {
      if (settled.has(ack.life)) faults.push(`${position} was acknowledged twice in life ${ack.life}`);
      settled.set(ack.life, ack);
    }
    for (const handed of handedOut) {
      const { deliveryId, life, attempt, uncounted, topic, handedOutAt } = handed;
      const isWithin = ({ from, to }: Span) => from + CLOCK_MS < handedOutAt && handedOutAt < to - CLOCK_MS;
      if (acks.some((ack) => isDone(ack) && ack.life >= life && ack.answeredAt + CLOCK_MS < handedOutAt)) {
        faults.push(`${deliveryId} was handed out after it was acknowledged`);
      }
      if (history.pauses.some(isWithin)) faults.push(`${deliveryId} was handed out during a pause`);
      // What is redelivered, redriven or read again may be of topics that the group had before.
      const isNew = life === 0 && attempt === 1 && uncounted === 0;
      const reading = isNew ? history.readings.find(isWithin) : undefined;
      if (reading !== undefined && !new TopicSet([...reading.topics]).has(topic)) {
        faults.push(`${deliveryId} (${topic}) was handed out while the topics were ${reading.topics.join()}`);
      }
    }
  }
  return faults.slice(0, MOST).map((fault) => `${history.group}: ${fault}`);
}

/** What is known of one event in one group. */
interface Known {
  readonly fate: GroupFate;
  readonly event: LoggedEvent;
  readonly of: EventHistory;
  readonly history: GroupHistory;
  readonly view: GroupView;
}

/** Null: nothing. */
export function contradictionIn(
  fate: GroupFate,
  event: LoggedEvent,
  { history, view }: { history: GroupHistory; view: GroupView },
): string | null {
  const of = history.events.get(event.position) ?? new EventHistory();
  const known: Known = { fate, event, of, history, view };
  const fault = heldFault(known) ?? settledFault(known) ?? stateFault(known);
  return fault === null
    ? null
    : `${fate.group}, ${event.position} (${event.event.topic}): ${fault}\n${JSON.stringify({ fate, of })}`;
}

/** The life of what the group holds; null when it holds nothing. */
function heldLife({ event, view }: Known): number | null {
  const held = view.open.get(event.position) ?? view.dead.get(event.position);
  return held === undefined ? null : deliveryNamed(held.deliveryId).life;
}

/** The trace and the group must agree on what the group holds. */
function heldFault(known: Known): string | null {
  const { fate, event, of, view } = known;
  const open = view.open.get(event.position);
  const dead = view.dead.get(event.position);
  const shown = open?.state ?? (dead === undefined ? null : 'dead');
  const traced = ['in_flight', 'waiting', 'dead'].includes(fate.state) ? fate.state : null;
  if (shown !== traced) return `the group shows ${shown}, the trace ${fate.state}`;
  const life = heldLife(known);
  if (life === null) return null;
  if (open !== undefined && (open.attempt !== fate.attempt || open.consumer !== fate.consumer)) {
    return `the group shows attempt ${open.attempt} of ${open.consumer}`;
  }
  if (life > 0 && !known.history.isSteered) return `it is in life ${life}, which no seek or redrive began`;
  const failed = fate.history.map(({ attempt }) => attempt);
  const wanted = Array.from(
    { length: fate.state === 'in_flight' ? (fate.attempt ?? 0) - 1 : (fate.attempt ?? 0) },
    (_, i) => i + 1,
  );
  if (failed.join() !== wanted.join()) return `its history has the attempts ${failed.join()}`;
  for (const { attempt, reason, consumer } of fate.history) {
    if (
      reason !== null &&
      !of.nacks.some((nack) => nack.reason === reason && nack.attempt === attempt && mayBeDone(nack))
    ) {
      return `no member refused attempt ${attempt} with "${reason}"`;
    }
    const seen = of.handedOut.findLast((one) => one.life === life && one.attempt === attempt);
    if (seen !== undefined && seen.consumer !== consumer) return `attempt ${attempt} was given to ${seen.consumer}`;
  }
  const missing = of.nacks.find(
    (nack) => nack.life === life && isDone(nack) && !fate.history.some(({ reason }) => reason === nack.reason),
  );
  return missing === undefined
    ? null
    : `attempt ${missing.attempt} was refused with "${missing.reason}", which is not in its history`;
}

/** An acknowledgement and a discard that were answered are in the trace, unless a later life came after; and nothing else is. */
function settledFault(known: Known): string | null {
  const { fate, of } = known;
  const acked = latestLife(of.acks.filter(isDone));
  const discarded = latestLife(of.discards.filter(isDone));
  const settled = Math.max(acked, discarded);
  const held = heldLife(known);
  if (fate.state === 'acked') {
    const acks = of.acks.filter((ack) => mayBeDone(ack) && ack.life >= settled);
    if (acks.length === 0) return 'no member acknowledged it';
    return acks.some((ack) => isRecordOf(known, ack)) ? null : 'it was acknowledged otherwise than the trace has it';
  }
  if (fate.state === 'discarded') {
    if (!of.discards.some((discard) => mayBeDone(discard) && discard.life >= acked)) return 'no operator discarded it';
    return fate.settledBy?.startsWith('/operators/') === true ? null : 'no operator is named';
  }
  if (settled < 0 || (held !== null && held > settled)) return null;
  return `it was ${acked >= discarded ? 'acknowledged' : 'discarded'} in life ${settled}`;
}

/** Whether the trace is that of an acknowledgement. One that came after its deadline settles the delivery that the event had since. */
function isRecordOf({ fate, of }: Known, { life, attempt, consumer, inTime, outcome }: Ack): boolean {
  const isSame = fate.attempt === attempt && fate.settledBy === consumer;
  if (isSame || (inTime && outcome === 'done')) return isSame;
  const isOfOther = (other: HandedOut) => other.attempt === fate.attempt && other.consumer === fate.settledBy;
  const reached = of.handedOut.filter((other) => other.life === life && other.attempt === fate.attempt);
  return (fate.attempt ?? 0) >= attempt && (reached.length === 0 || reached.some(isOfOther));
}

/** Of what is neither held nor settled: how the cursor went by. */
function stateFault({ fate, event, history, view }: Known): string | null {
  const { topic } = event.event;
  const place = placeOf(event.position);
  const isAhead = place > placeOf(view.info.position);
  switch (fate.state) {
    case 'unread':
      return isAhead ? null : 'the cursor has passed it';
    case 'skipped': {
      if (fate.reason !== 'seek') return 'nothing removed it from the log';
      // What the group held after the seek began there, too, when the seek dropped it.
      const isPassed = history.seeks.some(
        ({ dropOpen, sought }) =>
          sought === null || ((dropOpen || placeOf(sought.before) < place) && place <= placeOf(sought.position)),
      );
      return isPassed ? null : 'no seek went over it';
    }
    case 'not_matching':
      if (isAhead) return new TopicSet(view.info.topics).has(topic) ? 'the topics of the group match it' : null;
      return history.topics.some((topics) => !new TopicSet([...topics]).has(topic))
        ? null
        : 'the group always had its topic';
    case 'unknown':
      return 'it was passed, and nothing was noted';
    case 'before_group':
      return 'the group began after it';
    case 'in_flight':
    case 'waiting':
    case 'dead':
    case 'acked':
    case 'discarded':
      return null;
  }
}
