// What the audit records of each act: what it is done to, and what it changes, before and after.
import type { Agent, ApiInput, ApiOutput, Policy, ProcedureName } from '@hypercode/contracts';
import { SwarmError } from '@hypercode/contracts';
import type { Call } from '../procedures/handler.ts';

/** How an audited procedure is recorded. What is absent is taken from the fields that inputs have in common. */
export interface ActRules<Input = never, Output = never> {
  /** What it is done to. Default: the agent or group that the input names. */
  readonly target?: (input: Input) => string;
  /** What it changes, as it is now. NOT_FOUND stands for null. */
  readonly before?: (call: Call, input: Input) => unknown;
  /** The same, as the act left it. */
  readonly after?: (result: Output, input: Input) => unknown;
  /** Whether the call changes something. Default: always. */
  readonly changes?: (input: Input) => boolean;
}

const agentOf = async ({ core }: Call, { namespace = '', name }: { namespace?: string | undefined; name: string }) =>
  core.registry.queries.get({ namespace, name }, { details: false });

/** What an update can change. */
const registrationOf = ({ version, description, healthUrl, topics, capabilities, labels, specRevision }: Agent) => ({
  version,
  description,
  healthUrl,
  topics,
  capabilities,
  labels,
  specRevision,
});

const circuitOf = ({ status: { circuit, circuitOpenUntil, consecutiveFailures, reason } }: Agent) => ({
  circuit,
  circuitOpenUntil,
  consecutiveFailures,
  reason,
});

const policyOf = ({ core }: Call, { namespace = '' }: { namespace?: string | undefined }): Promise<Policy> =>
  core.bus.getPolicy(namespace);

const groupOf = ({ core }: Call, { namespace = '', group }: { namespace?: string | undefined; group: string }) =>
  core.bus.steering.stateOf(namespace, group);
const steered = ({ groupId, settings, paused }: ApiOutput<'groups.pause'>) => ({ groupId, settings, paused });

const roleOf = ({ version, roles }: Policy, role: string) => ({ version, rules: roles[role] ?? null });

const isNoRehearsal = ({ dryRun }: { dryRun?: boolean | undefined }): boolean => dryRun !== true;

const chosen = ({ deliveryIds, all }: { deliveryIds?: readonly string[] | undefined; all?: true | undefined }) =>
  all === true ? { all } : { deliveryIds };

export const ACTS: { readonly [Name in ProcedureName]?: ActRules<ApiInput<Name>, ApiOutput<Name>> } = {
  'registry.update': {
    before: async (call, input) => registrationOf(await agentOf(call, input)),
    after: ({ agent }) => registrationOf(agent),
  },
  'registry.deregister': { before: agentOf },
  'circuit.trip': { before: async (call, input) => circuitOf(await agentOf(call, input)), after: circuitOf },
  'circuit.reset': { before: async (call, input) => circuitOf(await agentOf(call, input)), after: circuitOf },
  'policy.put': {
    target: () => 'policy',
    before: policyOf,
    after: ({ effect: _, ...policy }) => policy,
    changes: isNoRehearsal,
  },
  'policy.putRole': {
    target: ({ role }) => `policy/roles/${role}`,
    before: async (call, input) => roleOf(await policyOf(call, input), input.role),
    after: (policy, { role }) => roleOf(policy, role),
    changes: isNoRehearsal,
  },
  'policy.removeRole': {
    target: ({ role }) => `policy/roles/${role}`,
    before: async (call, input) => roleOf(await policyOf(call, input), input.role),
    after: (policy, { role }) => roleOf(policy, role),
    changes: isNoRehearsal,
  },
  'tokens.create': {
    target: ({ name }) => `tokens/${name}`,
    // Without the token itself.
    after: ({ id }, { kind, name, roles, names, expiresInMs, maxUses }) => ({
      id,
      kind,
      name,
      roles,
      names,
      expiresInMs,
      maxUses,
    }),
  },
  'tokens.revoke': {
    target: ({ id }) => `tokens/${id}`,
    before: async ({ core }, { namespace = '', id }) =>
      (await core.registry.tokens.list(namespace)).find((token) => token.id === id) ?? null,
  },
  // Without the code.
  'sessions.code': { target: () => 'sessions' },
  'groups.pause': { before: groupOf, after: steered },
  'groups.resume': { before: groupOf, after: steered },
  'groups.update': { before: groupOf, after: steered },
  'groups.seek': {
    before: (_call, { to, dropOpen }) => ({ to, dropOpen }),
    after: ({ groupId, before, position, dropped }) => ({ groupId, before, position, dropped }),
  },
  'groups.delete': { before: groupOf },
  'bus.redrive': { before: (_call, input) => chosen(input), after: ({ count }) => ({ count }) },
  'bus.discard': { before: (_call, input) => chosen(input), after: ({ count }) => ({ count }) },
};

/** Fields that inputs have in common. */
export interface CommonFields {
  readonly namespace?: string;
  readonly name?: string;
  readonly group?: string;
  readonly reason?: string;
}

export function targetOf({ name, group }: CommonFields): string {
  if (group !== undefined) return `groups/${group}`;
  return name === undefined ? 'namespace' : `agents/${name}`;
}

/** What `read` gives; null when there is no such thing. */
export async function ifThere(read: () => unknown): Promise<unknown> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof SwarmError && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}
