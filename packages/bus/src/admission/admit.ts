// Whether an event may be published: reserved topics, the policy, the circuit, the rate, in this order and from memory.
import { SwarmError, SYSTEM_TOPIC } from '@hypercode/contracts';
import { type Access, aclDenied } from '../policies/access.ts';
import { isReserved, RESERVED_RULE } from '../policies/reserved-topics.ts';
import { type AgentCircuit, type BusCaller, type CircuitOf, rateKeyOf } from './caller.ts';

/** When to try again, in milliseconds, where that is unknown: half open, or held open by an operator. */
const CIRCUIT_RETRY_MS = 1000;

/** How many events, or bytes of them, a caller may publish in a time. The core decides; the bus only counts. */
export interface PublishRate {
  /**
   * Counts one event, or so many bytes, of `caller`, a key that no two callers share. Throws RATE_LIMITED with the time until the
   * next is allowed.
   */
  take(caller: string, bytes?: number): void;
}

export interface Gate {
  readonly caller: BusCaller;
  /** Null for operators, whom no policy limits. */
  readonly access: Access | null;
  readonly circuitOf: CircuitOf;
  readonly rate: PublishRate;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Throws FORBIDDEN, ACL_DENIED, CIRCUIT_OPEN, RATE_LIMITED, or UNAVAILABLE when the circuit is unknown. Each names its reason. */
export function admit({ caller, access, circuitOf, rate, now }: Gate, topic: string): void {
  if (caller.kind === 'operator' && caller.readOnly) {
    throw new SwarmError('FORBIDDEN', 'a viewer token cannot publish');
  }
  if (isReserved(topic)) {
    throw new SwarmError('ACL_DENIED', `topics that begin with "${SYSTEM_TOPIC}" are reserved for the core`, {
      details: { role: access?.role ?? caller.kind, action: 'publish', topic, rule: RESERVED_RULE },
    });
  }
  if (access !== null) {
    const decision = access.publish(topic);
    if (!decision.allowed) throw aclDenied(access, 'publish', topic, decision);
  }
  if (caller.kind === 'agent') {
    const circuit = circuitOf(caller);
    if (circuit === null) throw new SwarmError('UNAVAILABLE', `the token of agent "${caller.name}" has just ended`);
    if (circuit.circuit !== 'closed') throw circuitOpen(circuit, now);
  }
  rate.take(rateKeyOf(caller));
}

function circuitOpen(
  { circuit, circuitReason: reason, circuitOpenUntilMs }: AgentCircuit,
  now: number,
): SwarmError<'CIRCUIT_OPEN'> {
  const why = reason === null ? '' : `: ${reason}`;
  const leftMs = circuitOpenUntilMs === null ? 0 : Math.ceil(circuitOpenUntilMs - now);
  return new SwarmError('CIRCUIT_OPEN', `the agent's circuit is ${circuit}${why}`, {
    details: { circuit, reason },
    // Clocks differ a little: once it should be half open here, it will be soon.
    retryAfterMs: leftMs > 0 ? leftMs : CIRCUIT_RETRY_MS,
  });
}
