// A heartbeat of the calling agent.
import { type HeartbeatInput, type HeartbeatResult, SwarmError } from '@hypercode/contracts';
import type { Call } from './handler.ts';

/** FENCED for a process other than the one that the token was issued to; UNAVAILABLE when the token ended meanwhile. */
export async function heartbeat(
  { core, identity: { principal } }: Call,
  { activity, note, incarnation }: HeartbeatInput,
): Promise<HeartbeatResult> {
  if (principal.kind !== 'agent') throw new SwarmError('FORBIDDEN', 'a heartbeat needs the token of the agent itself');
  if (incarnation !== undefined && principal.incarnation !== null && incarnation !== principal.incarnation) {
    throw new SwarmError('FENCED', 'this token belongs to another process of the agent');
  }
  const renewal = await core.registry.heartbeats.renew(principal, { activity, note });
  core.metrics.heartbeat();
  return renewal;
}
