// Whether an agent's lease is renewed in time, judged from when the agent was last seen. No clock, no store.
//
//   live ──silent for a lease and two flushes──> missed    unhealthy; without a healthUrl, one failure
//   missed ──another whole lease of silence──> missed      without a healthUrl, one failure more
//   missed ──a sign of life──> live                        healthy again
//   missed ──silent for the time to expiry──> expired      removed; only a registration brings it back
//   any ──a new grace begins──> live                       but for the health, which waits for a sign of life
import type { Activity, Health } from '@hypercode/contracts';
import { batchMsOf, flushMsOf } from '../documents/lease-times.ts';

/** What is known of one agent. Times are milliseconds since the epoch, all of the database's clock. */
export interface LeaseFacts {
  /** The agent's own lease, in milliseconds. */
  readonly leaseMs: number;
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
  /** The core's lease, in milliseconds: that of agents that asked for none. */
  readonly leaseMs: number;
  /** Silence after the end of its lease after which an agent is removed, in milliseconds. */
  readonly expireAfterMs: number;
}

export interface LeaseMoment {
  /** Milliseconds since the epoch, of the same clock as the facts. */
  readonly now: number;
  /**
   * When the last grace of the agent began (see `Graces`): it lasts for one lease of the agent, which is not judged before its end,
   * and misses no lease for silence from before the grace.
   */
  readonly graceFrom: number;
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
 * The time to expiry is counted from the end of the lease that the last sign of life began, graces or not, but only agents expire
 * that miss a lease now.
 */
export function judgeLease(facts: LeaseFacts, moment: LeaseMoment, settings: LeaseSettings): LeaseVerdict {
  const { now, graceFrom } = moment;
  const { leaseMs } = facts;
  const { expireAfterMs } = settings;
  const flushMs = flushMsOf(leaseMs, settings.leaseMs);
  const seenAt = Math.max(facts.lastSeenAt ?? facts.registeredAt, facts.registeredAt);
  const missed = leasesMissed(now - Math.max(seenAt, graceFrom), leaseMs, flushMs);
  if (missed === 0) {
    const isLive = leasesMissed(now - seenAt, leaseMs, flushMs) === 0;
    return { verdict: 'fine', missed: 0, health: isLive ? healthOfLive(facts) : facts.health };
  }
  if (now - seenAt >= leaseMs + expireAfterMs) {
    const reason = `no sign of life for ${inWords(expireAfterMs)} after its lease of ${inWords(leaseMs)}`;
    return { verdict: 'expired', reason };
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

/** The leases of agents whose signs are written in one batch are checked at most this far apart, in milliseconds. */
export const checkMsOf = batchMsOf;

const leasesMissed = (silenceMs: number, leaseMs: number, flushMs: number): number =>
  Math.max(0, Math.floor((silenceMs - 2 * flushMs) / leaseMs));

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
