// What liveness remembers of an agent between two checks, beside its registration. Plain JSON, in a column of its own.
import type { CircuitState } from '@hypercode/contracts';

/** What is remembered of a circuit. */
export interface CircuitMemory {
  /** `open` too while it is tripped. */
  readonly circuit: CircuitState;
  /** Failures since the last success: the agent's `consecutiveFailures`. */
  readonly failures: number;
  /** How often it has opened since it was last closed; each time but the first doubles the open time. */
  readonly opens: number;
  /** When the trials begin, in milliseconds since the epoch; null unless it is open and not tripped. */
  readonly openUntil: number | null;
  /** Good trials since it became half open. */
  readonly goodTrials: number;
  /** Opened by an operator, and only an operator's reset closes it. */
  readonly tripped: boolean;
  /**
   * Closed: the last failure, null after a success. Open and half open: the last failure, which outlives good trials and
   * successes until it closes. Tripped: the operator's reason, and no failure replaces it.
   */
  readonly reason: string | null;
}

export const freshCircuit: CircuitMemory = {
  circuit: 'closed',
  failures: 0,
  opens: 0,
  openUntil: null,
  goodTrials: 0,
  tripped: false,
  reason: null,
};

export interface LivenessMemory {
  /** The agent that it is about. Another incarnation, or an agent that was created again, begins with nothing. */
  readonly agentId: string;
  readonly incarnation: string | null;
  readonly circuit: CircuitMemory;
  /** Why a trial of the half-open circuit was bad, until a judge has counted it; absent while there is none. */
  readonly badTrial?: string;
  /** Leases missed in a row that were counted. */
  readonly missed: number;
  /** When the present run of failures began, in milliseconds since the epoch; null while there is none. */
  readonly failingSince: number | null;
  /** Whether it was healthy before that. */
  readonly wasHealthy: boolean;
  /**
   * The last heartbeat already accounted for, either as a success or as the one before a counted miss. Milliseconds since the
   * epoch.
   */
  readonly successAt: number | null;
  /**
   * What the last probe came to, unless it was good: for operators. Agents read one sentence for all of it, since the differences
   * would show them which addresses and ports of the core's network answer.
   */
  readonly probeDetail?: string;
  /** Set while the core does not come to probe it in time, so that nothing is known of its health. */
  readonly unprobed?: true;
}

/** The reason of every probe that failed, as agents read it. */
export const PROBE_FAILED = 'the probe of its healthUrl failed';
/** The reason of a health that is not known, since no probe could be made in time. */
export const UNPROBED = 'its healthUrl was not probed in time';

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
export const isBlank = ({ circuit, missed, failingSince, unprobed }: LivenessMemory): boolean =>
  unprobed === undefined &&
  missed === 0 &&
  failingSince === null &&
  circuit.circuit === 'closed' &&
  circuit.failures === 0 &&
  !circuit.tripped;
