// Whether a token may make a call, by the rights that the procedure declares.
import { type CallerKind, matchesName, type Rights, SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';

/** What of a checked input decides how far a token has to reach. */
export interface Reached {
  readonly namespace?: unknown;
  readonly name?: unknown;
  readonly role?: unknown;
}

const forbidden = (message: string): SwarmError<'FORBIDDEN'> => new SwarmError('FORBIDDEN', message);

/** FORBIDDEN unless the kind of the token may call at all. Needs no input, so nothing of it has to be checked before. */
export function assertMayCall({ kind }: Principal, rights: Rights): void {
  if (rights[kind] !== undefined) return;
  if (kind === 'join') throw forbidden('a join token can only register agents');
  const kinds = Object.keys(rights).map((allowed) => NAMES[allowed as CallerKind]);
  const needed = kinds.length > 1 ? `${kinds.slice(0, -1).join(', ')} or ${kinds.at(-1)}` : kinds[0];
  throw forbidden(`this call needs ${needed}`);
}

const NAMES: Readonly<Record<CallerKind, string>> = {
  admin: 'an admin token',
  operator: 'an operator token',
  viewer: 'a viewer token',
  agent: "an agent's own token",
  join: 'a join token',
};

/** FORBIDDEN unless the token, whose kind may call, reaches what the input names. */
export function assertReaches(principal: Principal, rights: Rights, { namespace, name, role }: Reached): void {
  if (principal.kind === 'admin') return;
  const reach = rights[principal.kind];
  if (reach === 'token' && namespace === undefined) return;
  if (principal.namespace !== null && principal.namespace !== namespace) {
    throw forbidden(`this token has no access to namespace "${String(namespace)}"`);
  }
  if (principal.kind === 'agent' && reach === 'self' && name !== undefined && name !== principal.name) {
    throw forbidden('an agent can only change itself');
  }
  if (reach !== 'roles' || principal.kind !== 'join') return;
  const { roles, names } = principal;
  if (roles !== '*' && !roles.some((allowed) => allowed === role)) {
    throw forbidden(`this token cannot register agents of role "${String(role)}", but of: ${roles.join(', ')}`);
  }
  if (names !== null && !names.some((pattern) => matchesName(pattern, String(name)))) {
    throw forbidden(`this token cannot register the name "${String(name)}", but these names: ${names.join(', ')}`);
  }
}
