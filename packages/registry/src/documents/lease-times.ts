// Times that follow from the length of a lease: of the core's own, `SWARM_LEASE_MS`, and of an agent's.
import { LIMITS } from '@hypercode/contracts';

/**
 * Signs of life of an agent are written at most this far apart, in milliseconds: a sixth of its lease, and never more than a sixth
 * of the core's.
 */
export const flushMsOf = (leaseMs: number, coreLeaseMs: number = leaseMs): number => Math.min(leaseMs, coreLeaseMs) / 6;

/**
 * How often the signs of life of an agent are written, in milliseconds: a sixth of the core's lease, halved until it is no more
 * than the agent's `flushMsOf`. So agents of all lengths share a few batches.
 */
export function batchMsOf(leaseMs: number, coreLeaseMs: number): number {
  const halvings = leaseMs >= coreLeaseMs ? 0 : Math.ceil(Math.log2(coreLeaseMs / leaseMs));
  return flushMsOf(coreLeaseMs) / 2 ** halvings;
}

/** All values that `batchMsOf` has, the longest first. */
export function batchesOf(coreLeaseMs: number): number[] {
  const shortest = batchMsOf(LIMITS.leaseMinMs, coreLeaseMs);
  const batches = [flushMsOf(coreLeaseMs)];
  for (let ms = flushMsOf(coreLeaseMs) / 2; ms >= shortest; ms /= 2) batches.push(ms);
  return batches;
}

/** A silent agent with an open stream is noted with each flush of the core; a note counts for so many of them. */
const NOTE_LASTS = 3;

export interface Silence {
  /** Since the agent was last seen, in milliseconds; null: not known. */
  readonly silentMs: number | null;
  /** Since a replica last noted an open stream of it, in milliseconds; null: none was noted. */
  readonly streamedAgoMs: number | null;
}

/**
 * Whether an agent's lease has ended, and it has no open stream on any replica. Waits as long as the judge does: by then every
 * sign of life that came in time has been written, and every open stream noted.
 */
export function isLapsed(
  { silentMs, streamedAgoMs }: Silence,
  leaseMs: number,
  coreLeaseMs: number = leaseMs,
): boolean {
  const hasStream = streamedAgoMs !== null && streamedAgoMs <= NOTE_LASTS * flushMsOf(coreLeaseMs);
  return silentMs !== null && silentMs > leaseMs + 2 * flushMsOf(leaseMs, coreLeaseMs) && !hasStream;
}
