// Changes of policies in tests, by an admin, in a namespace without agents.
import type { ChangedPolicy, PolicyRules } from '@hypercode/contracts';
import type { Bus } from '../src/bus.ts';
import type { PolicyChange } from '../src/policies/policies.ts';

export const CHANGE: PolicyChange = { by: '/operators/admin', agents: async function* () {} };

export const putPolicy = (
  bus: Bus,
  namespace: string,
  rules: PolicyRules,
  ifVersion: number | undefined,
): Promise<ChangedPolicy> => bus.changePolicy(namespace, () => rules, { ...CHANGE, ifVersion });
