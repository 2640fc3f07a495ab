// The procedures of policies.
import type { Api } from '@hypercode/contracts';
import type { Handlers } from './handler.ts';

export const policyProcedures: Handlers<Api['policy']> = {
  get: ({ core }, { namespace }) => core.bus.getPolicy(namespace),

  put: ({ core }, { namespace, policy, ifVersion }) => core.bus.putPolicy(namespace, policy, ifVersion),

  async explain({ core }, { namespace, name, action, topic, group }) {
    const { role, status } = await core.registry.queries.get({ namespace, name });
    const agent = { name, role, circuit: status.circuit };
    return core.bus.explainPolicy(namespace, agent, { action, topic, group });
  },
};
