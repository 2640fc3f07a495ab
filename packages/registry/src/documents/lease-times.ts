// Times that follow from the length of a lease.

/** Signs of life are written at most this far apart, in milliseconds. */
export const flushMsOf = (leaseMs: number): number => leaseMs / 6;

/** A silent agent with an open stream is noted as often as signs of life are written; a note counts for so many of these times. */
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
export function isLapsed({ silentMs, streamedAgoMs }: Silence, leaseMs: number): boolean {
  const flushMs = flushMsOf(leaseMs);
  const hasStream = streamedAgoMs !== null && streamedAgoMs <= NOTE_LASTS * flushMs;
  return silentMs !== null && silentMs > leaseMs + 2 * flushMs && !hasStream;
}
