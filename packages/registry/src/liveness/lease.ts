// Whether an agent still proves that it lives: a judgement of its lease, from when it was last seen. No clock, no store.
//
//   live ──silent for a lease and two flushes──> missed    unhealthy; without a healthUrl, one failure
//   missed ──another whole lease of silence──> missed      without a healthUrl, one failure more
//   missed ──a sign of life──> live                        healthy again
//   missed ──silent for the time to expiry──> expired      removed; only a registration brings it back
//   any ──a new grace begins──> live                       but for the health, which waits for a sign of life
import type { Activity, Health } from '@hypercode/contracts';

/** What is known of one agent. Times are milliseconds since the epoch, all of the database's clock. */
export interface LeaseFacts {
  /** The last beat, good probe or registration; null when there was none since it was registered. */
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
   * When the grace of the core ends: its start and one lease, or what `graceAfter` said since. Nobody is judged before, and
   * silence from before the grace makes nobody miss a lease.
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

/** Signs of life are written at most this far apart, in milliseconds. */
export const flushMsOf = (leaseMs: number): number => leaseMs / 6;

/**
 * The judgement of one agent's lease. The first miss is judged a lease and two flushes after the last sign of life, when
 * whatever was said in time has been written for certain; each further one a lease later.
 *
 * The time to expiry is counted from the last sign of life, graces or not, but only those expire whom a missed lease proves
 * to be away now.
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

/** The judge looks at leases at most this far apart, in milliseconds. */
export const lookMsOf = flushMsOf;

/** A core that completed no look for longer than this many was away. */
const LOOKS_MISSED = 3;

/** What speaks for a core that knows who was heard of. */
export interface Attention {
  /** When the last look was completed, which takes an answer of the database; null when the core has just started. */
  readonly previousLookAt: number | null;
  /** For how long there have been signs of life that were not written, in milliseconds. */
  readonly unwrittenMs: number;
}

/**
 * When a new grace ends that begins `now`, or null when there is no reason for one. A core that was stopped, suspended or cut
 * from its database for more than half a lease may not have heard or written what agents said meanwhile; nor can silence be
 * measured with a clock that went back as far. Shorter pauses fit between a beat and the judgement, which waits for two
 * flushes: once signs of life are written later than that, who seems silent may have been heard.
 */
export function graceAfter({ previousLookAt, unwrittenMs }: Attention, now: number, leaseMs: number): number | null {
  const wasAway = previousLookAt === null || Math.abs(now - previousLookAt) > LOOKS_MISSED * lookMsOf(leaseMs);
  return wasAway || unwrittenMs > 2 * flushMsOf(leaseMs) ? now + leaseMs : null;
}

const leasesMissed = (silenceMs: number, leaseMs: number): number =>
  Math.max(0, Math.floor((silenceMs - 2 * flushMsOf(leaseMs)) / leaseMs));

/**
 * With a healthUrl the lease takes back only its own judgement: failing probes go on to make the agent unhealthy, and before
 * the first probe nothing is known. Without one, the first beat after the registration makes it healthy.
 */
function healthOfLive(facts: LeaseFacts): Health {
  const { health, hasHealthUrl, consecutiveFailures, lastSeenAt, registeredAt } = facts;
  if (health === 'unhealthy') return hasHealthUrl && consecutiveFailures > 0 ? health : 'healthy';
  const hasBeaten = lastSeenAt !== null && lastSeenAt > registeredAt;
  return health === 'unknown' && !hasHealthUrl && hasBeaten ? 'healthy' : health;
}

/** Agents that have said that they do no work now are shown, not failed. */
const isResting = (activity: Activity): boolean => activity === 'paused' || activity === 'draining';

const inWords = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${ms / 1000} s`);
