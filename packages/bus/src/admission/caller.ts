// The callers of the bus. The server makes each of a token; nothing of it comes from the caller's input.
import { agentSource, type CircuitState, operatorSource } from '@hypercode/contracts';

/** An agent. Its circuit may change at any time, so it is read when an event is admitted. */
export interface AgentCaller {
  readonly kind: 'agent';
  readonly agentId: string;
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
}

/** The circuit of an agent, as the registry has it. */
export interface AgentCircuit {
  readonly circuit: CircuitState;
  /** When an open circuit becomes half open, in milliseconds since the epoch; null when that is unknown. */
  readonly circuitOpenUntilMs: number | null;
  /** Why the circuit is open. */
  readonly circuitReason: string | null;
}

/** The circuit of an agent now, from memory; null when the registry no longer has it. */
export type CircuitOf = (agent: AgentCaller) => AgentCircuit | null;

/** An operator; policies are for agents. */
export interface OperatorCaller {
  readonly kind: 'operator';
  /** What the token is called. */
  readonly name: string;
  /** Differs from token to token. */
  readonly id: string;
  /** Reads everything and changes nothing. */
  readonly readOnly: boolean;
}

export type BusCaller = AgentCaller | OperatorCaller;

export const sourceOf = (caller: BusCaller): string =>
  caller.kind === 'agent' ? agentSource(caller.namespace, caller.name) : operatorSource(caller.name);

/** What the caller's rate is counted by. */
export const rateKeyOf = (caller: BusCaller): string =>
  caller.kind === 'agent' ? `agent ${caller.namespace} ${caller.name}` : `operator ${caller.id}`;
