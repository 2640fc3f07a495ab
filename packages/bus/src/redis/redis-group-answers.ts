// What the scripts of groups answer: positions, deliveries, dead letters, members and figures.
import type { GapReason } from '@hypercode/contracts';
import type { ReasonCounts } from '../store/group-deaths.ts';
import type {
  ClaimRequest,
  ClaimOutcome,
  DeadLetterPage,
  GroupDelivery,
  StoredAttempt,
  StoredDeadLetter,
  StoredGroup,
  StoredMember,
  StoredOpenDelivery,
} from '../store/group-store.ts';
import type { LogPosition } from '../store/position.ts';
import { type RawState, toState } from './redis-group-state.ts';
import { positionOfMember } from './redis-keys.ts';

export type Values = (string | number)[];
export type Cursor = [epoch: string, seq: number, nonce: number];

/** Of `claim-deliveries`. */
export type Claimed = [
  ...Cursor,
  room: number,
  nextDueMs: number,
  gap: '' | GapReason,
  lost: number,
  dueAt: number,
  isSilent: number,
  passed: number,
  passedOver: string,
  replayUpTo: number,
  replayLife: number,
  paused: number,
  changed: '' | RawState,
  ...due: Values,
];

/** Of `describe-group`. */
export type Described = [
  RawState,
  ...Cursor,
  lag: number,
  inFlight: number,
  waiting: number,
  deadLetters: number,
  reasons: string,
  oldestDeadAt: number | '',
  oldestUnreadAt: string,
  members: number,
  recentAcks: string,
];

export function toPosition([epoch, seq, nonce]: Values): LogPosition {
  return { epoch: String(epoch), seq: Number(seq), nonce: Number(nonce) };
}

/** What was due, and what of the offer was taken. */
export function toClaimOutcome(answer: Claimed, offer: ClaimRequest['offer']): ClaimOutcome {
  const [, , , room, nextDueMs, gap, lost, dueAt, isSilent, ...rest] = answer;
  const [passed, passedOver, replayUpTo, replayLife, paused, changed, ...due] = rest;
  const deliveries: GroupDelivery[] = [];
  for (let at = 0; at < due.length; at += 7) {
    const [life = 0, attempt = 0, uncounted = 0] = due.slice(at + 3, at + 6).map(Number);
    const [position, text] = [toPosition(due.slice(at)), String(due[at + 6])];
    deliveries.push({ position, life, attempt, uncounted, dueAt, text });
  }
  const isPassedOver = new Set(passedOver === '' ? [] : passedOver.split(',').map(Number));
  for (const [place, { position, text }] of (offer?.entries.slice(0, passed) ?? []).entries()) {
    if (isPassedOver.has(place)) continue;
    const life = position.seq <= replayUpTo ? replayLife : 0;
    deliveries.push({ position, life, attempt: 1, uncounted: 0, dueAt, text });
  }
  return {
    deliveries,
    cursor: toPosition(answer.slice(0, 3) as Values),
    room,
    nextDueMs: nextDueMs === -1 ? null : nextDueMs,
    isSilent: isSilent === 1,
    paused: paused === 1,
    changed: changed === '' ? null : toState(changed),
    gap: gap === '' ? null : { lost: lost === -1 ? null : lost, reason: gap },
  };
}

export function toStoredGroup(group: string, answer: Described): StoredGroup {
  const [raw, epoch, seq, nonce, lag, inFlight, waiting, deadLetters, reasons, deadAt, unreadAt, members, acks] =
    answer;
  return {
    group,
    ...toState(raw),
    cursor: toPosition([epoch, seq, nonce]),
    ...{ lag, inFlight, waiting, deadLetters, members },
    deadByReason: JSON.parse(reasons) as ReasonCounts,
    oldestDeadAt: deadAt === '' ? null : deadAt,
    oldestUnreadAt: unreadAt === '' ? null : Number(unreadAt),
    ratePerSecond: Number(acks) / 60,
  };
}

/** In the order of their names. */
export function toMembers(answer: Values): StoredMember[] {
  const members: StoredMember[] = [];
  for (let at = 0; at < answer.length; at += 4) {
    const [inFlight = 0, lastSignAt = 0, missed = 0] = answer.slice(at + 1, at + 4).map(Number);
    members.push({ consumer: String(answer[at]), inFlight, lastSignAt, isSilent: missed > 0 && inFlight === 0 });
  }
  return members.toSorted((a, b) => (a.consumer < b.consumer ? -1 : 1));
}

export function toOpenDeliveries(answer: Values): StoredOpenDelivery[] {
  const open: StoredOpenDelivery[] = [];
  for (let at = 0; at < answer.length; at += 9) open.push(toOpenDelivery(answer.slice(at, at + 9)));
  return open;
}

function toOpenDelivery(fields: Values): StoredOpenDelivery {
  const [member, state, life, attempt, uncounted, consumer, deliveredAt, dueAt, topic] = fields;
  const isAnew = Number(attempt) === 0;
  return {
    position: positionOfMember(String(member)),
    topic: String(topic),
    state: state === 'f' ? 'in_flight' : 'waiting',
    life: Number(life),
    attempt: Number(attempt),
    uncounted: Number(uncounted),
    consumer: isAnew ? null : String(consumer),
    deliveredAt: isAnew ? null : Number(deliveredAt),
    dueAt: Number(dueAt),
  };
}

export function toDeadLetterPage([hasMore, ...fields]: Values): DeadLetterPage {
  const letters: StoredDeadLetter[] = [];
  for (let at = 0; at < fields.length; at += 8) letters.push(toDeadLetter(fields.slice(at, at + 8)));
  return { letters, next: hasMore === 1 ? (letters.at(-1)?.ordinal ?? null) : null };
}

/** `refused`: without a reason. */
type KeptAttempt = StoredAttempt & { readonly refused?: true };

function toDeadLetter([member, ordinal, life, attempt, uncounted, deadAt, text, history]: Values): StoredDeadLetter {
  return {
    position: positionOfMember(String(member)),
    life: Number(life),
    attempt: Number(attempt),
    uncounted: Number(uncounted),
    text: String(text),
    deadAt: Number(deadAt),
    history: (JSON.parse(`[${String(history)}]`) as KeptAttempt[]).map(({ refused: _, ...failed }) => failed),
    ordinal: Number(ordinal),
  };
}
