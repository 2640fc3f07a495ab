// The caller that a token stands for, by the kind of token.
import type { TokenNames, TokenRoles } from '@hypercode/contracts';

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

/** Runs the swarm of its namespace. */
export interface OperatorPrincipal {
  readonly kind: 'operator';
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
}

export interface JoinPrincipal {
  readonly kind: 'join';
  readonly id: string;
  readonly name: string;
  readonly namespace: string;
  readonly roles: TokenRoles;
  /** The names that the token may register; null: every name. */
  readonly names: TokenNames | null;
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

/** Whether the token may register only names that are free, and names that it has registered itself. */
export const ownsNames = ({ roles, names }: JoinPrincipal): boolean => roles !== '*' || names !== null;

export type Principal = AdminPrincipal | OperatorPrincipal | ViewerPrincipal | JoinPrincipal | AgentPrincipal;
