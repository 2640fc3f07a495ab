// What an agent does next, decided from what the core answered. No I/O, no clock.
//
//   registering ──registered──> alive             the first heartbeat follows at once, to learn the length of the lease
//   registering ──retryable───> registering       after a backoff
//   registering ──other refusal─> refused         before the agent has ever been registered
//                             ─> registering      afterwards, at the longest backoff: an operator may put it right
//   alive ──renewed──> alive             a third of the lease later
//   alive ──UNAUTHENTICATED──> registering   with the same incarnation: the core has lost or removed it
//   alive ──other refusal──> alive       sooner than usual if a retry can help
//   any ──FENCED──> fenced                        a later incarnation has the name; nothing follows
import type { SwarmError } from '@hypercode/contracts';
import { backoff, MAX_BACKOFF_MS, retryDelay } from '../transport/backoff.ts';

export interface Lifecycle {
  readonly phase: 'registering' | 'alive' | 'refused' | 'fenced';
  /** Whether a registration has ever been taken. */
  readonly joined: boolean;
  /** Refusals since the last successful heartbeat. */
  readonly failures: number;
  /** Milliseconds, as the core last reported; undefined before that. */
  readonly leaseMs: number | undefined;
}

export const lifecycleStart: Lifecycle = {
  phase: 'registering',
  joined: false,
  failures: 0,
  leaseMs: undefined,
};

export type Outcome =
  | { readonly type: 'registered' }
  | { readonly type: 'renewed'; readonly leaseMs: number | undefined }
  | { readonly type: 'refused'; readonly error: SwarmError };

export interface LifecycleStep {
  readonly next: Lifecycle;
  /** Milliseconds until the next registration or heartbeat; without meaning in `refused` and `fenced`. */
  readonly waitMs: number;
}

/** The time between heartbeats while the length of the lease is not known. */
const UNKNOWN_LEASE_INTERVAL_MS = 10_000;
const SHORTEST_INTERVAL_MS = 100;

/**
 * Milliseconds between heartbeats: `heartbeatMs` if it was given, else a third of the lease; up to a tenth less, by
 * `random`, so that agents that were refused together do not stay in step.
 */
export function heartbeatInterval(
  leaseMs: number | undefined,
  heartbeatMs: number | undefined,
  random: number,
): number {
  const interval = heartbeatMs ?? (leaseMs === undefined ? UNKNOWN_LEASE_INTERVAL_MS : leaseMs / 3);
  return Math.max(SHORTEST_INTERVAL_MS, interval * (1 - random / 10));
}

export interface Pace {
  readonly heartbeatMs: number | undefined;
  /** At least 0, below 1. */
  readonly random: number;
}

export function advance(state: Lifecycle, outcome: Outcome, { heartbeatMs, random }: Pace): LifecycleStep {
  switch (outcome.type) {
    case 'registered':
      // The failures stay, so that a core which takes registrations and refuses heartbeats is not called without a pause.
      return {
        next: { ...state, phase: 'alive', joined: true },
        waitMs: state.failures === 0 ? 0 : backoff(state.failures, random),
      };
    case 'renewed': {
      const leaseMs = outcome.leaseMs ?? state.leaseMs;
      return {
        next: { ...state, failures: 0, leaseMs },
        waitMs: heartbeatInterval(leaseMs, heartbeatMs, random),
      };
    }
    case 'refused':
      return afterRefusal(state, outcome.error, { heartbeatMs, random });
  }
}

function afterRefusal(state: Lifecycle, error: SwarmError, { heartbeatMs, random }: Pace): LifecycleStep {
  if (error.is('FENCED')) return { next: { ...state, phase: 'fenced' }, waitMs: 0 };
  const failures = state.failures + 1;
  const waitMs = retryDelay(error, failures, random);
  if (state.phase === 'registering') {
    if (error.retryable) return { next: { ...state, failures }, waitMs };
    if (!state.joined) return { next: { ...state, failures, phase: 'refused' }, waitMs: 0 };
    return { next: { ...state, failures }, waitMs: MAX_BACKOFF_MS };
  }
  if (error.is('UNAUTHENTICATED')) {
    return { next: { ...state, failures, phase: 'registering' }, waitMs };
  }
  const interval = heartbeatInterval(state.leaseMs, heartbeatMs, random);
  const soonMs = Math.max(error.retryAfterMs ?? 0, Math.min(waitMs, interval));
  return { next: { ...state, failures }, waitMs: error.retryable ? soonMs : interval };
}
