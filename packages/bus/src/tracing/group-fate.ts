// Decides what became of an event in each group: every group is in exactly one state, by the first rule that holds.
import { type GroupFate, TopicSet } from '@hypercode/contracts';
import type { GroupFacts, GroupFates } from '../store/group-fates.ts';
import { formatPosition, type LogPosition } from '../store/position.ts';

export interface TracedEvent {
  readonly position: LogPosition;
  readonly topic: string;
}

type Outcome = Pick<GroupFate, 'state'> & Partial<GroupFate>;

/** What became of the event in each group of the namespace, by name. */
export async function readFates(groups: GroupFates, namespace: string, event: TracedEvent): Promise<GroupFate[]> {
  const facts = await groups.fates(namespace, event.position);
  return facts.map((known) => fateOf(known, event.topic)).toSorted(byGroup);
}

const byGroup = (a: GroupFate, b: GroupFate): number => (a.group < b.group ? -1 : 1);

export function fateOf(facts: GroupFacts, topic: string): GroupFate {
  return {
    group: facts.group,
    since: facts.began === null ? null : formatPosition(facts.began),
    attempt: null,
    consumer: null,
    settledBy: null,
    deliveredAt: null,
    dueAt: null,
    settledAt: null,
    reason: null,
    history: [],
    ...(heldOf(facts) ?? settledOf(facts) ?? passedOf(facts, topic) ?? aheadOf(facts, topic)),
  };
}

function heldOf({ held }: GroupFacts): Outcome | null {
  if (held === null) return null;
  const { state, attempt, consumer, deliveredAt, dueAt, history } = held;
  return {
    state,
    attempt,
    consumer,
    deliveredAt: timeShown(deliveredAt),
    dueAt: timeShown(dueAt),
    reason: state === 'in_flight' ? null : (history.at(-1)?.reason ?? null),
    history: history.map(({ deliveredAt: handedAt, failedAt, ...rest }) => ({
      ...rest,
      deliveredAt: new Date(handedAt).toISOString(),
      failedAt: new Date(failedAt).toISOString(),
    })),
  };
}

function settledOf({ record, pass }: GroupFacts): Outcome | null {
  if (record === null) return null;
  const { how, life, attempt, deliveredAt, settledAt, by } = record;
  const times = { deliveredAt: timeShown(deliveredAt), settledAt: new Date(settledAt).toISOString() };
  if (how === 'acked') return { state: 'acked', attempt, consumer: by, settledBy: by, ...times };
  if (how === 'discarded') return { state: 'discarded', attempt, settledBy: by, ...times };
  // The seek that dropped it may have gone forward over it, too; a seek back since then let the group read it again.
  const isOfTheSameSeek = pass?.how === 'seek' && pass.life === life + 1;
  if (pass === null || (pass.life > life && !isOfTheSameSeek)) return null;
  return { state: 'skipped', reason: 'seek', attempt, consumer: by, ...times };
}

function passedOf({ pass }: GroupFacts, topic: string): Outcome | null {
  switch (pass?.how) {
    case undefined:
      return null;
    case 'seek':
    case 'retention':
    case 'log_lost':
      return { state: 'skipped', reason: pass.how };
    case 'before':
      return { state: 'before_group' };
    case 'read':
      return { state: new TopicSet(pass.topics ?? []).has(topic) ? 'unknown' : 'not_matching' };
    case 'unknown':
      return { state: 'unknown' };
  }
}

/** The cursor stands before the event, which it will come to unless the log no longer has it. */
function aheadOf({ topics, missing }: GroupFacts, topic: string): Outcome {
  if (!new TopicSet(topics).has(topic)) return { state: 'not_matching' };
  return missing === null ? { state: 'unread' } : { state: 'skipped', reason: missing };
}

const timeShown = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
