// A trip: an operator has opened the circuit of a name, whichever process or agent has the name, until a reset.
import type { Agent } from '@hypercode/contracts';
import { type CircuitMemory, freshMemory, type LivenessMemory } from './liveness-memory.ts';

export interface Trip {
  /** The operator's words; null: none. */
  readonly reason: string | null;
}

const TRIPPED_REASON = 'tripped by an operator';

/** The circuit of a tripped name: only the count of failures stays. */
export const trippedCircuit = (circuit: CircuitMemory, { reason }: Trip): CircuitMemory => ({
  ...circuit,
  circuit: 'open',
  tripped: true,
  openUntil: null,
  goodTrials: 0,
  reason: reason ?? TRIPPED_REASON,
});

/** What is remembered of a process that begins under a trip. */
export function trippedMemory({ id, incarnation }: Pick<Agent, 'id' | 'incarnation'>, trip: Trip): LivenessMemory {
  const memory = freshMemory(id, incarnation);
  return { ...memory, circuit: trippedCircuit(memory.circuit, trip) };
}

/** What an agent of a tripped name shows, whatever else is known of it. */
export const trippedStatus = ({ reason }: Trip): Pick<Agent['status'], 'circuit' | 'circuitOpenUntil' | 'reason'> => ({
  circuit: 'open',
  circuitOpenUntil: null,
  reason: reason ?? TRIPPED_REASON,
});
