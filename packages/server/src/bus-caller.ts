// The caller on the bus that a principal of the registry is.
import type { BusCaller } from '@hypercode/bus';
import { SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';

/** FORBIDDEN for a join token, and for a token that does not reach `namespace`. */
export function busCallerOf(principal: Principal, namespace: string): BusCaller {
  if (principal.kind === 'join') throw new SwarmError('FORBIDDEN', 'a join token can only register agents');
  const isElsewhere = principal.kind !== 'admin' && principal.namespace !== null && principal.namespace !== namespace;
  if (isElsewhere) throw new SwarmError('FORBIDDEN', `this token has no access to namespace "${namespace}"`);
  if (principal.kind === 'agent') {
    const { agentId, name, role } = principal;
    return { kind: 'agent', agentId, namespace: principal.namespace, name, role };
  }
  const { name, id, kind } = principal;
  return { kind: 'operator', name, id, readOnly: kind === 'viewer' };
}
