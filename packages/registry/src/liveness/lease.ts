// Whether an agent's lease is renewed in time, judged from when the agent was last seen. No clock, no store.
//
//   live ──silent for a lease and two flushes──> missed    unhealthy; without a healthUrl, one failure
//   missed ──another whole lease of silence──> missed      without a healthUrl, one failure more
//   missed ──a sign of life──> live                        healthy again
//   missed ──silent for the time to expiry──> expired      removed; only a registration brings it back
//   any ──a new grace begins──> live                       but for the health, which waits for a sign of life
import type { Activity, Health } from '@hypercode/contracts';
import { flushMsOf } from '../documents/lease-times.ts';

/** What is known of one agent. Times are milliseconds since the epoch, all of the database's clock. */
export interface LeaseFacts {
  /** The last heartbeat, good probe or registration; null when there was none since it was registered. */
  readonly lastSeenAt: number | null;
  readonly registeredAt: number;
  readonly hasHealthUrl: boolean;
  readonly activity: Activity;
  readonly health: Health;
  readonly consecutiveFailures: number;
  /** `missed` of the last verdict; 0 before the first. */
  readonly missedLeases: number;
}

export interface LeaseSettings {
  readonly leaseMs: number;
  /** Silence after which an agent is removed. */
  readonly expireAfterMs: number;
}

export interface LeaseMoment {
  /** Milliseconds since the epoch, of the same clock as the facts. */
  readonly now: number;
  /**
   * When the grace of the core ends: its start and one lease, or what `graceAfter` has returned since. No agent is judged before,
   * and no agent misses a lease for silence from before the grace.
   */
  readonly graceUntil: number;
}

export type LeaseVerdict =
  /** `health` is what it is from now on. */
  | { readonly verdict: 'fine'; readonly missed: 0; readonly health: Health }
  | {
      readonly verdict: 'missed';
      /** Whole leases missed in a row. */
      readonly missed: number;
      /** How many failures that adds. Always 0 with a healthUrl, and for agents that are paused or draining. */
      readonly failures: number;
      readonly health: 'unhealthy';
      readonly reason: string;
    }
  | { readonly verdict: 'expired'; readonly reason: string };

/**
 * The judgement of one agent's lease. The first miss is judged a lease and two flushes after the last sign of life, when
 * every sign of life that came in time has been written for certain; each further one a lease later.
 *
 * The time to expiry is counted from the last sign of life, graces or not, but only agents expire that miss a
 * lease now.
 */
export function judgeLease(facts: LeaseFacts, moment: LeaseMoment, settings: LeaseSettings): LeaseVerdict {
  const { now, graceUntil } = moment;
  const { leaseMs, expireAfterMs } = settings;
  const seenAt = Math.max(facts.lastSeenAt ?? facts.registeredAt, facts.registeredAt);
  const missed = leasesMissed(now - Math.max(seenAt, graceUntil - leaseMs), leaseMs);
  if (missed === 0) {
    const isLive = leasesMissed(now - seenAt, leaseMs) === 0;
    return { verdict: 'fine', missed: 0, health: isLive ? healthOfLive(facts) : facts.health };
  }
  if (now - seenAt >= expireAfterMs) {
    return { verdict: 'expired', reason: `no sign of life for ${inWords(expireAfterMs)}` };
  }
  const isFailed = !facts.hasHealthUrl && !isResting(facts.activity);
  return {
    verdict: 'missed',
    missed,
    failures: isFailed ? Math.max(0, missed - facts.missedLeases) : 0,
    health: 'unhealthy',
    reason: missed === 1 ? `missed its lease of ${inWords(leaseMs)}` : `missed ${missed} leases of ${inWords(leaseMs)}`,
  };
}

/** Leases are checked at most this far apart, in milliseconds. */
export const checkMsOf = flushMsOf;

/** A core that completed no check for longer than this many was stopped or cut off. */
const CHECKS_MISSED = 3;

/** Whether the core has received and written the signs of life. */
export interface Attention {
  /** When the last check was completed, which takes an answer of the database; null when the core has just started. */
  readonly previousCheckAt: number | null;
  /** For how long there have been signs of life that were not written, in milliseconds. */
  readonly unwrittenMs: number;
}

/**
 * When a new grace ends that begins `now`, or null when there is no reason for one. A core that was stopped, suspended or cut
 * from its database for more than half a lease may not have received or written the signs of life meanwhile; nor can silence
 * be measured with a clock that went back as far. Shorter pauses fit between a heartbeat and the judgement, which waits for
 * two flushes: once signs of life are written later than that, an agent that seems silent may not be.
 */
export function graceAfter({ previousCheckAt, unwrittenMs }: Attention, now: number, leaseMs: number): number | null {
  const wasInterrupted =
    previousCheckAt === null || Math.abs(now - previousCheckAt) > CHECKS_MISSED * checkMsOf(leaseMs);
  return wasInterrupted || unwrittenMs > 2 * flushMsOf(leaseMs) ? now + leaseMs : null;
}

const leasesMissed = (silenceMs: number, leaseMs: number): number =>
  Math.max(0, Math.floor((silenceMs - 2 * flushMsOf(leaseMs)) / leaseMs));

/**
 * With a healthUrl the lease takes back only its own judgement: failing probes go on to make the agent unhealthy, and before
 * the first probe nothing is known. Without one, the first heartbeat after the registration makes it healthy.
 */
function healthOfLive(facts: LeaseFacts): Health {
  const { health, hasHealthUrl, consecutiveFailures, lastSeenAt, registeredAt } = facts;
  if (health === 'unhealthy') return hasHealthUrl && consecutiveFailures > 0 ? health : 'healthy';
  const hasBeaten = lastSeenAt !== null && lastSeenAt > registeredAt;
  return health === 'unknown' && !hasHealthUrl && hasBeaten ? 'healthy' : health;
}

/** Agents that report that they do no work now are shown, not failed. */
const isResting = (activity: Activity): boolean => activity === 'paused' || activity === 'draining';

const inWords = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);
