// The caller that a token stands for, and what it may do in the registry.
import { SwarmError, type TokenRoles } from '@hypercode/contracts';

export interface AdminPrincipal {
  readonly kind: 'admin';
  readonly id: string;
  readonly name: string;
}

export interface ViewerPrincipal {
  readonly kind: 'viewer';
  readonly id: string;
  readonly name: string;
  /** The namespace that may be read; null: every one. */
  readonly namespace: string | null;
}

export interface JoinPrincipal {
  readonly kind: 'join';
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly roles: TokenRoles;
  /** Whether the token is good for a limited number of new agents. */
  readonly limited: boolean;
}

/** An agent's own token. The agent's status is in the mirror. */
export interface AgentPrincipal {
  readonly kind: 'agent';
  readonly id: string;
  readonly namespace: string;
  readonly name: string;
  readonly agentId: string;
  readonly incarnation: string | null;
  readonly role: string;
}

export type Principal = AdminPrincipal | ViewerPrincipal | JoinPrincipal | AgentPrincipal;

const forbidden = (message: string): SwarmError<'FORBIDDEN'> => new SwarmError('FORBIDDEN', message);

/** Throws FORBIDDEN unless `principal` may read `namespace`. */
export function assertMayRead(principal: Principal, namespace: string): void {
  if (principal.kind === 'admin') return;
  if (principal.kind === 'join') throw forbidden('a join token can only register agents');
  if (principal.kind === 'viewer' && principal.namespace === null) return;
  if (principal.namespace !== namespace) throw forbidden(`this token has no access to namespace "${namespace}"`);
}

/** Throws FORBIDDEN unless `principal` may register an agent of `role` in `namespace`. */
export function assertMayRegister(principal: Principal, namespace: string, role: string): void {
  if (principal.kind === 'admin') return;
  if (principal.kind !== 'join') throw forbidden('registering needs a join token or an admin token');
  if (principal.namespace !== namespace) throw forbidden(`this token has no access to namespace "${namespace}"`);
  if (principal.roles !== '*' && !principal.roles.includes(role)) {
    throw forbidden(`this token cannot register agents of role "${role}"`);
  }
}

/** Throws FORBIDDEN unless `principal` may change the agent: itself, or any for an admin. */
export function assertMayChange(principal: Principal, namespace: string, name: string): void {
  if (principal.kind === 'admin') return;
  if (principal.kind !== 'agent') throw forbidden(`a ${principal.kind} token cannot change agents`);
  if (principal.namespace !== namespace) throw forbidden(`this token has no access to namespace "${namespace}"`);
  if (principal.name !== name) throw forbidden('an agent can only change itself');
}

/** Throws FORBIDDEN unless `principal` is an administrator. */
export function assertAdmin(principal: Principal): void {
  if (principal.kind !== 'admin') throw forbidden('this call needs an admin token');
}
