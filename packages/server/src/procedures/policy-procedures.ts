// The procedures of policies.
import {
  type Agent,
  type Api,
  type ChangedPolicy,
  type Policy,
  type PolicyRules,
  SwarmError,
} from '@hypercode/contracts';
import { sourceOf } from '@hypercode/bus';
import { busCallerOf } from './bus-caller.ts';
import type { Call, Handlers } from './handler.ts';

/** Agents in one query, when the effect of a change is computed. */
const AGENTS_IN_PAGE = 500;

export const policyProcedures: Handlers<Api['policy']> = {
  get: ({ core }, { namespace }) => core.bus.getPolicy(namespace),

  put: (call, { policy, ...change }) => changed(call, change, () => policy),

  putRole: (call, { role, rules, ...change }) =>
    changed(call, change, ({ roles, default: others }) => ({ roles: { ...roles, [role]: rules }, default: others })),

  removeRole: (call, { role, ...change }) =>
    changed(call, change, ({ roles: { ...roles }, default: others }) => {
      if (!Object.hasOwn(roles, role)) throw new SwarmError('NOT_FOUND', `the policy has no role "${role}"`);
      delete roles[role];
      return { roles, default: others };
    }),

  history: ({ core }, input) => core.bus.policyHistory(input),

  async explain({ core }, { namespace, name, action, topic, group }) {
    const { role, status } = await core.registry.queries.get({ namespace, name }, { details: false });
    const agent = { name, role, circuit: status.circuit };
    return core.bus.explainPolicy(namespace, agent, { action, topic, group });
  },
};

function changed(
  call: Call,
  { namespace, ifVersion, dryRun }: { namespace: string; ifVersion?: number | undefined; dryRun?: boolean | undefined },
  change: (policy: Policy) => PolicyRules,
): Promise<ChangedPolicy> {
  const by = sourceOf(busCallerOf(call.identity));
  return call.core.bus.changePolicy(namespace, change, {
    by,
    ifVersion,
    dryRun,
    agents: () => agentsOf(call, namespace),
  });
}

async function* agentsOf({ core }: Call, namespace: string): AsyncGenerator<readonly Agent[], void> {
  let cursor: string | undefined;
  do {
    const input = { namespace, view: 'full', limit: AGENTS_IN_PAGE, cursor } as const;
    const page = await core.registry.queries.query(input, { details: false });
    yield page.agents;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
