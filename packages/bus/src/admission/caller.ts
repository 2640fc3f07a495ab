// The callers of the bus. The server makes it of a token; nothing of it comes from the caller's input.
import { agentSource, type CircuitState, operatorSource } from '@hypercode/contracts';

/** An agent. What can change of it is read when it is needed. */
export interface AgentCaller {
  readonly kind: 'agent';
  readonly namespace: string;
  readonly name: string;
  readonly role: string;
  readonly circuit: CircuitState;
  /** When an open circuit becomes half open, in milliseconds since the epoch; null when it is unknown. */
  readonly circuitOpenUntilMs: number | null;
  /** Why the circuit is open, as the registry has it. */
  readonly circuitReason: string | null;
}

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
