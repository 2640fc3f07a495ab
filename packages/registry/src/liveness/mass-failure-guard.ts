// The mass-failure guard of one namespace: when very many agents fail together, the fault is likely the core's or the
// network's, so no agent is tripped or expired for it. No clock, no store.
//
//   watching ──at least half of those healthy a round ago, and at least five, fail──> suspended
//   suspended ──a round in which the core's stores answered──> suspended   the first in a row
//   suspended ──another one──> watching                                    resumed: counts start at zero
//   suspended ──a round in which they did not answer──> suspended          none in a row
//
// Agents with a healthUrl count, and those with a lease of at most twice the core's: the others are found out too late. Of these,
// only agents that have lived for ten leases count (their own or the core's, whichever is longer), so that a holder of a join token
// cannot engage the guard with agents made for it. For an hour after the guard has engaged, only agents that counted then count:
// agents that were registered later cannot engage it again.
//
// Each check looks at a sliding window of one round, not at fixed intervals, so a mass failure cannot be split across two
// windows; a round is long enough for all of the agents to be found out. Failures while liveness is suspended do not prolong
// that. Agents that failed then were not healthy a round before it resumes, so the same absentees cannot engage the guard
// again, and their circuits open if they stay away.
//
// Agents that vanish together are found out at different times, most of all where their leases differ. So an agent that misses its lease
// waits for a round: until then it is neither tripped nor expired, unless there are too few agents for the guard to engage at all.
import { flushMsOf } from '../documents/lease-times.ts';

export type Guard =
  | {
      readonly state: 'watching';
      /** When it last engaged, in milliseconds since the epoch, but for engagements of the hour after; null: never. */
      readonly engagedAt: number | null;
    }
  | {
      readonly state: 'suspended';
      readonly engagedAt: number;
      /** Rounds in a row, since the guard engaged, in which the core's own stores answered. */
      readonly answeredRounds: number;
      /** When the present round began, in milliseconds since the epoch. */
      readonly roundBegan: number;
      /** Whether they have answered in the present round so far. */
      readonly answered: boolean;
    };

/** Liveness of a namespace is suspended: no agent is tripped or expired. Or it has resumed. */
export type GuardNotice = 'suspended' | 'resumed';

/** What one check has found. `now` is in milliseconds since the epoch. */
export interface GuardCheck {
  readonly now: number;
  /** How long a round takes: `guardRoundMs`. */
  readonly roundMs: number;
  /** Agents that were healthy a round ago. */
  readonly healthyBefore: number;
  /** Those of them that fail now. */
  readonly failing: number;
  /** Whether the stores of the core itself have answered since the last check. */
  readonly storesAnswered: boolean;
}

export interface GuardStep {
  readonly guard: Guard;
  /**
   * What to make known, if anything. From `suspended` on, the failures of this check included, no failure counts. At
   * `resumed`, counts start at zero: `forget` for each circuit of the namespace, while `failingSince` stays as it is.
   */
  readonly notice: GuardNotice | null;
}

/** What engaged a guard: of so many agents that were healthy a round ago, so many failed together. Others do not count. */
export type GuardNumbers = Pick<GuardCheck, 'healthyBefore' | 'failing'>;

/** Fewer failing agents never engage the guard. */
export const LEAST_FAILING = 5;
/** Rounds with stores that answer, after which liveness resumes. */
const ROUNDS_TO_RESUME = 2;
/** Leases that an agent must have lived for to count. */
export const LEASES_TO_COUNT = 10;
/** For how long after the guard has engaged agents that were registered later do not count, in milliseconds. */
export const NEWCOMERS_WAIT_MS = 3_600_000;

export const watchingGuard: Guard = { state: 'watching', engagedAt: null };

const hasEngagedLately = (engagedAt: number | null, now: number): engagedAt is number =>
  engagedAt !== null && now - engagedAt < NEWCOMERS_WAIT_MS;

/** Whether nothing has to be remembered of the guard. */
export const isForgotten = ({ state, engagedAt }: Guard, now: number): boolean =>
  state === 'watching' && !hasEngagedLately(engagedAt, now);

/** By when an agent that counts had lived for long enough, at the latest. Milliseconds since the epoch. */
export const countsBy = ({ engagedAt }: Guard, now: number): number =>
  hasEngagedLately(engagedAt, now) ? Math.min(engagedAt, now) : now;

/** For how long an agent must have lived to count, in milliseconds. */
export const livedToCountMs = (leaseMs: number, coreLeaseMs: number): number =>
  LEASES_TO_COUNT * Math.max(leaseMs, coreLeaseMs);

/** Whether an agent is found out soon enough to count. */
export const isCounted = (
  { leaseMs, hasHealthUrl }: { leaseMs: number; hasHealthUrl: boolean },
  coreLeaseMs: number,
): boolean => hasHealthUrl || leaseMs <= longestCountedMs(coreLeaseMs);

/** The longest lease with which an agent counts that has no healthUrl, in milliseconds. */
export const longestCountedMs = (coreLeaseMs: number): number => 2 * coreLeaseMs;

/** The leases of the agents of a namespace that count by their lease. */
export interface CountedLeases {
  readonly shortestMs: number;
  readonly longestMs: number;
}

/**
 * How long a round is, in milliseconds: agents that vanish at the same moment are all found out within one. That of an agent
 * with a healthUrl shows when its next probe has failed, at the latest; that of another one when the lease has run out that
 * its last heartbeat began, which may have been up to a lease ago. Those with the shortest lease are judged the soonest, since they
 * wait for the shortest flushes.
 */
export function guardRoundMs(
  { shortestMs, longestMs }: CountedLeases,
  { leaseMs, probeIntervalMs, probeTimeoutMs }: GuardTimes,
): number {
  const apartMs = 2 * (flushMsOf(longestMs, leaseMs) - flushMsOf(shortestMs, leaseMs));
  const foundWithinMs = Math.max(longestMs + apartMs, probeIntervalMs * LONGEST_INTERVAL + probeTimeoutMs);
  return foundWithinMs + flushMsOf(leaseMs);
}

/** Of the core, in milliseconds. */
export interface GuardTimes {
  readonly leaseMs: number;
  readonly probeIntervalMs: number;
  readonly probeTimeoutMs: number;
}

/**
 * Whether an agent that has missed its lease is neither tripped nor expired yet: so many others may have vanished with it that the
 * guard would engage. `agents`: how many agents the namespace has.
 */
export const waitsForOthers = (
  failingSince: number | null,
  { now, roundMs, agents }: { now: number; roundMs: number; agents: number },
): boolean => failingSince !== null && agents >= LEAST_FAILING && now - failingSince <= roundMs;

/** Times between two probes are spread by a tenth. */
const LONGEST_INTERVAL = 1.1;

/** The guard after a check: `guard` itself when nothing has changed. To be called before the findings of the check count. */
export function afterCheck(guard: Guard, check: GuardCheck): GuardStep {
  const { now, roundMs, healthyBefore, failing, storesAnswered } = check;
  if (guard.state === 'watching') {
    const failTogether = failing >= LEAST_FAILING && failing * 2 >= healthyBefore;
    if (!failTogether) return { guard, notice: null };
    const engagedAt = hasEngagedLately(guard.engagedAt, now) ? guard.engagedAt : now;
    return {
      guard: { state: 'suspended', engagedAt, answeredRounds: 0, roundBegan: now, answered: true },
      notice: 'suspended',
    };
  }
  const tookMs = now - guard.roundBegan;
  // A clock that went back measures no round.
  const answered = guard.answered && storesAnswered && tookMs >= 0;
  if (tookMs >= 0 && tookMs < roundMs) {
    return { guard: answered === guard.answered ? guard : { ...guard, answered }, notice: null };
  }
  const answeredRounds = answered ? guard.answeredRounds + 1 : 0;
  return answeredRounds >= ROUNDS_TO_RESUME
    ? { guard: { state: 'watching', engagedAt: guard.engagedAt }, notice: 'resumed' }
    : { guard: { ...guard, answeredRounds, roundBegan: now, answered: true }, notice: null };
}

/** What is known of an agent's own signs, whether or not they count: the guard moves neither. */
export interface AgentSigns {
  /** Whether it has ever been healthy. An agent that has never answered is no loss when it does not answer. */
  readonly wasHealthy: boolean;
  /** When its present run of failures began, in milliseconds since the epoch; null while there is none. */
  readonly failingSince: number | null;
  /** When it had lived for long enough to count, in milliseconds since the epoch; null: it does not count. */
  readonly countsFrom: number | null;
}

/**
 * Counts the agents that were healthy at `roundAgo` (milliseconds since the epoch), and those of them that have begun to fail since;
 * only those that counted at `countsBy` already.
 */
export function countRound(agents: Iterable<AgentSigns>, window: { roundAgo: number; countsBy: number }): GuardNumbers {
  let healthyBefore = 0;
  let failing = 0;
  for (const { wasHealthy, failingSince, countsFrom } of agents) {
    if (!wasHealthy || countsFrom === null || countsFrom > window.countsBy) continue;
    if (failingSince !== null && failingSince <= window.roundAgo) continue;
    healthyBefore += 1;
    if (failingSince !== null) failing += 1;
  }
  return { healthyBefore, failing };
}
