// The heartbeat of an agent, for the procedure and the REST route.
import { type HeartbeatInput, type HeartbeatResult, SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import type { Core } from './context.ts';

/** FORBIDDEN for a caller that is no agent, FENCED for a process other than the one that the token was issued to, UNAVAILABLE. */
export async function heartbeat(core: Core, principal: Principal, input: HeartbeatInput): Promise<HeartbeatResult> {
  if (principal.kind !== 'agent') throw new SwarmError('FORBIDDEN', 'a heartbeat needs the token of the agent itself');
  if (principal.namespace !== input.namespace) {
    throw new SwarmError('FORBIDDEN', `this token has no access to namespace "${input.namespace}"`);
  }
  if (
    input.incarnation !== undefined &&
    principal.incarnation !== null &&
    input.incarnation !== principal.incarnation
  ) {
    throw new SwarmError('FENCED', 'this token belongs to another process of the agent');
  }
  const renewal = await core.registry.heartbeats.renew(principal, input.activity);
  core.metrics.heartbeat();
  return { ...renewal, leaseMs: core.leaseMs };
}
