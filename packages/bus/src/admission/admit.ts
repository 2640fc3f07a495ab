// Whether an event may be published: reserved topics, the policy, the circuit, the rate, in this order and from memory.
import { SwarmError, SYSTEM_TOPIC } from '@hypercode/contracts';
import { type Access, aclDenied } from '../policies/access.ts';
import { type AgentCircuit, type BusCaller, type CircuitOf, rateKeyOf } from './caller.ts';
import type { RateLimit } from './rate-limit.ts';

/** When to try again, in milliseconds, where that is unknown: half open, or held open by an operator. */
const CIRCUIT_RETRY_MS = 1000;

/** What stands for the rule where no policy decided. */
export const RESERVED_RULE = `${SYSTEM_TOPIC}.>`;

export interface Gate {
  readonly caller: BusCaller;
  /** Null for operators, whom no policy limits. */
  readonly access: Access | null;
  readonly circuitOf: CircuitOf;
  readonly rate: RateLimit;
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

/** Whether the topic is the core's own, whatever a policy says. */
export const isReserved = (topic: string): boolean =>
  topic.startsWith(SYSTEM_TOPIC) && (topic.length === SYSTEM_TOPIC.length || topic[SYSTEM_TOPIC.length] === '.');

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
