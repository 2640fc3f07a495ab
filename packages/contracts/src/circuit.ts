// The circuit as operators handle it, and what the core says of circuits and of liveness.
import { z } from 'zod';
import { CircuitState } from './agent.ts';
import { LIMITS } from './limits.ts';
import { AgentName, inNamespace } from './name.ts';
import { text } from './text.ts';

/** Opens the circuit of a name until it is reset, through new incarnations and removals of its agent. */
export const TripInput = z.object({ ...inNamespace, name: AgentName, reason: text(LIMITS.reasonLength).optional() });
export type TripInput = z.output<typeof TripInput>;

/** Takes a trip of a name back, closes the circuit of its agent, and forgets its failures. A tripped name needs no agent for it. */
export const ResetInput = z.object({ ...inNamespace, name: AgentName });
export type ResetInput = z.output<typeof ResetInput>;

/** Topics on which the core says that an agent's circuit has changed. */
export const CIRCUIT_TOPICS = {
  open: 'system.circuit.opened',
  half_open: 'system.circuit.half-opened',
  closed: 'system.circuit.closed',
} as const satisfies Record<CircuitState, string>;

/** Data of the events on `CIRCUIT_TOPICS`. */
export const CircuitEventData = z.object({
  agent: AgentName,
  role: z.string(),
  circuit: CircuitState,
  reason: z.string().nullable(),
  /** The revision of the agent at which it changed. */
  revision: z.number().int().nonnegative(),
});
export type CircuitEventData = z.infer<typeof CircuitEventData>;

/** Topics on which the core says that so many agents fail together that none is tripped or expired, and that this is over. */
export const LIVENESS_TOPICS = {
  suspended: 'system.liveness.suspended',
  resumed: 'system.liveness.resumed',
} as const;

/** Data of `system.liveness.suspended`: of `healthyBefore` agents that were healthy a round ago, `failing` failed together. */
export const LivenessSuspendedData = z.object({
  failing: z.number().int().nonnegative(),
  /** Only agents that have lived for ten leases count. */
  healthyBefore: z.number().int().nonnegative(),
});
export type LivenessSuspendedData = z.infer<typeof LivenessSuspendedData>;
