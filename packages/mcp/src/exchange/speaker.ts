// With whose rights a tool is called: those of the token, or those of an agent that the join token has made.
import { DEFAULT_NAMESPACE, SwarmError } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import type { Core } from '@hypercode/server';
import type { CommonInput, Tool } from '../tools/tool.ts';

/** FORBIDDEN when the token may not act as the agent, and when it has to name one. FENCED, UNAVAILABLE. */
export async function speakerOf(
  core: Pick<Core, 'registry'>,
  identity: Identity,
  { as, tool }: { readonly as: string | undefined; readonly tool: Pick<Tool, 'withoutAgent' | 'name'> },
): Promise<Identity> {
  const { principal } = identity;
  if (principal.kind !== 'join') {
    if (as === undefined || (principal.kind === 'agent' && as === principal.name)) return identity;
    throw forbidden('this token acts for itself alone; leave `as` out');
  }
  if (as === undefined || tool.name === 'join') {
    if (tool.withoutAgent === true) return identity;
    throw forbidden('call `join` first, and give `as` with the name that you joined under');
  }
  const { identities, heartbeats } = core.registry;
  const agent = await identities.recogniseMade(identity, principal, as);
  // As every call with the agent's own token, it counts as a heartbeat from here on.
  if (agent.principal.kind === 'agent') heartbeats.noteCall(agent.principal);
  return agent;
}

/** The namespace that a call is about, when it names none. */
export const namespaceFor = ({ principal }: Identity, { namespace }: CommonInput): string =>
  namespace ?? (principal.kind === 'admin' ? null : principal.namespace) ?? DEFAULT_NAMESPACE;

const forbidden = (message: string): SwarmError => new SwarmError('FORBIDDEN', message);
