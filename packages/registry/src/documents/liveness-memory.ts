// What is remembered of an agent between two looks at it, beside its registration. Plain JSON, in a column of its own.
import { type CircuitMemory, freshCircuit } from '../liveness/circuit.ts';

export interface LivenessMemory {
  /** Whom it is about. Another incarnation, or an agent that was created again, begins with nothing. */
  readonly agentId: string;
  readonly incarnation: string | null;
  readonly circuit: CircuitMemory;
  /** Why a trial of the half-open circuit was bad, until a judge has taken it in; absent while there is none. */
  readonly badTrial?: string;
  /** Leases missed in a row that were counted. */
  readonly missed: number;
  /** When the present run of failures began, in milliseconds since the epoch; null while there is none. */
  readonly failingSince: number | null;
  /** Whether it was healthy before that. */
  readonly wasHealthy: boolean;
  /** The sign of life that was last taken for a success, or came before a miss, in milliseconds since the epoch. */
  readonly successAt: number | null;
}

export const freshMemory = (agentId: string, incarnation: string | null): LivenessMemory => ({
  agentId,
  incarnation,
  circuit: freshCircuit,
  missed: 0,
  failingSince: null,
  wasHealthy: false,
  successAt: null,
});

/** What is stored, if it is about this process of this agent. */
export function memoryOf(
  stored: LivenessMemory | null,
  agent: { id: string; incarnation: string | null },
): LivenessMemory {
  const isOwn = stored !== null && stored.agentId === agent.id && stored.incarnation === agent.incarnation;
  return isOwn ? stored : freshMemory(agent.id, agent.incarnation);
}

/** Whether there is nothing to remember, so that nothing has to be stored. */
export const isBlank = ({ circuit, missed, failingSince }: LivenessMemory): boolean =>
  missed === 0 && failingSince === null && circuit.circuit === 'closed' && circuit.failures === 0 && !circuit.tripped;
