// The circuit of one incarnation of an agent: whether what it publishes is taken. No clock, no store.
//
//   closed ──failure──> closed             counted, while the count does not exceed the threshold
//   closed ──failure──> open               the count exceeds the threshold (3: the fourth failure)
//   closed ──success──> closed             the count starts again at zero
//   open ──failure, success──> open        only the count moves: neither prolongs it, shortens it or is a trial
//   open ──time──> half_open               the open time has passed
//   half_open ──success──> half_open       the first good trial
//   half_open ──success──> closed          the second good trial; everything is forgotten
//   half_open ──failure──> open            a bad trial: for twice as long as before, at most 5 minutes
//   half_open ──success that is no trial──> half_open   only the count starts again
//   closed, open, half_open ──forget──> the same        only the count starts again
//   any ──trip──> tripped                  by an operator; shown as `open`
//   tripped ──failure, success, time, forget──> tripped   only the count moves
//   any ──reset──> closed                  as a fresh incarnation begins
//
// Time passes before an event counts, so that an open circuit whose time has passed takes it as a trial whether or not a
// tick came first.
import type { Agent } from '@hypercode/contracts';
import { type CircuitMemory, freshCircuit } from '../documents/liveness-memory.ts';
import { trippedCircuit } from '../documents/trip.ts';

/** `at` is in milliseconds since the epoch. */
export type CircuitEvent =
  | { readonly kind: 'failure'; readonly reason: string; readonly at: number }
  /** `trial` is whether it may close a half-open circuit (default true); a heartbeat that came too late may not. */
  | { readonly kind: 'success'; readonly at: number; readonly trial?: boolean }
  | { readonly kind: 'tick'; readonly at: number }
  /** What has failed so far proved nothing about the agent: the mass-failure guard was engaged. */
  | { readonly kind: 'forget'; readonly at: number }
  | { readonly kind: 'trip'; readonly reason: string | null; readonly at: number }
  | { readonly kind: 'reset'; readonly at: number };

export interface CircuitSettings {
  /** It opens when the failures exceed this; with 0 the first opens it. */
  readonly threshold: number;
  /** How long it is open the first time. More than MAX_OPEN_MS is never doubled. */
  readonly openMs: number;
}

/** The open time is not doubled beyond this. */
export const MAX_OPEN_MS = 300_000;
/** Good trials that close a half-open circuit. */
const TRIALS_TO_CLOSE = 2;
/** Enough doublings to bring a millisecond to MAX_OPEN_MS. */
const MAX_DOUBLINGS = 19;

/** The circuit after `event`: `memory` itself when nothing has changed. */
export function advance(memory: CircuitMemory, event: CircuitEvent, settings: CircuitSettings): CircuitMemory {
  const current = afterTime(memory, event.at);
  switch (event.kind) {
    case 'tick':
      return current;
    case 'failure':
      return afterFailure(current, event, settings);
    case 'success':
      return afterSuccess(current, event.trial ?? true);
    case 'forget':
      return changed(current, { failures: 0, reason: current.circuit === 'closed' ? null : current.reason });
    case 'trip':
      return changed(current, trippedCircuit(current, event));
    case 'reset':
      return changed(current, freshCircuit);
  }
}

export type ShownCircuit = Pick<Agent['status'], 'circuit' | 'circuitOpenUntil' | 'consecutiveFailures' | 'reason'>;

/** The part of an agent's status that shows it. */
export const shownCircuit = ({ circuit, openUntil, failures, reason }: CircuitMemory): ShownCircuit => ({
  circuit,
  circuitOpenUntil: openUntil === null ? null : new Date(openUntil).toISOString(),
  consecutiveFailures: failures,
  reason,
});

function afterTime(memory: CircuitMemory, at: number): CircuitMemory {
  const hasPassed =
    memory.circuit === 'open' && !memory.tripped && (memory.openUntil === null || memory.openUntil <= at);
  return hasPassed ? changed(memory, { circuit: 'half_open', openUntil: null, goodTrials: 0 }) : memory;
}

function afterFailure(
  current: CircuitMemory,
  { reason, at }: { reason: string; at: number },
  { threshold, openMs }: CircuitSettings,
): CircuitMemory {
  const failures = current.failures + 1;
  const counted = changed(current, { failures, reason: current.tripped ? current.reason : reason });
  const opens =
    current.circuit === 'half_open' || (current.circuit === 'closed' && failures > threshold)
      ? current.opens + 1
      : null;
  if (opens === null) return counted;
  return changed(counted, { circuit: 'open', opens, openUntil: at + openTimeMs(opens, openMs), goodTrials: 0 });
}

function afterSuccess(current: CircuitMemory, isTrial: boolean): CircuitMemory {
  if (current.circuit === 'closed') return changed(current, { failures: 0, reason: null });
  if (current.circuit === 'open' || !isTrial) return changed(current, { failures: 0 });
  const goodTrials = current.goodTrials + 1;
  return goodTrials < TRIALS_TO_CLOSE ? changed(current, { failures: 0, goodTrials }) : freshCircuit;
}

const openTimeMs = (opens: number, openMs: number): number =>
  Math.min(openMs * 2 ** Math.min(opens - 1, MAX_DOUBLINGS), Math.max(openMs, MAX_OPEN_MS));

function changed(memory: CircuitMemory, set: Partial<CircuitMemory>): CircuitMemory {
  const next = { ...memory, ...set };
  const isSame =
    next.circuit === memory.circuit &&
    next.failures === memory.failures &&
    next.opens === memory.opens &&
    next.openUntil === memory.openUntil &&
    next.goodTrials === memory.goodTrials &&
    next.tripped === memory.tripped &&
    next.reason === memory.reason;
  return isSame ? memory : next;
}
