// The caller on the bus that the holder of a token is.
import type { BusCaller } from '@hypercode/bus';
import { SwarmError } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';

/** FORBIDDEN for a join token. */
export function busCallerOf({ principal }: Identity): BusCaller {
  if (principal.kind === 'join') throw new SwarmError('FORBIDDEN', 'a join token can only register agents');
  if (principal.kind === 'agent') {
    const { agentId, namespace, name, role } = principal;
    return { kind: 'agent', agentId, namespace, name, role };
  }
  const { name, id, kind } = principal;
  return { kind: 'operator', name, id, readOnly: kind === 'viewer' };
}
