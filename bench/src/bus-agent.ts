// An agent on a core's bus: registered, with a token of its own, and allowed what the namespace's policy says.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import type { PolicyRules } from '@hypercode/contracts';
import type { Measured } from './rig.ts';

const ROLE = 'bencher';
/** The agent's role may publish and subscribe below `bench.`, except for the denied topics. Other roles may do nothing. */
const RULES: PolicyRules = {
  roles: {
    [ROLE]: {
      publish: ['bench.>'],
      denyPublish: ['bench.secret.>'],
      subscribe: ['bench.>'],
      denySubscribe: [],
      consume: ['round-*'],
    },
  },
  default: { publish: [], subscribe: [] },
};

export interface BusAgent {
  readonly client: SwarmClient;
  readonly token: string;
}

/** Puts the policy in force and registers an agent under it. `using` stack closes its client. */
export async function joinBus(stack: AsyncDisposableStack, core: Measured): Promise<BusAgent> {
  const { url, adminToken } = core;
  await using admin = createSwarmClient({ url, token: adminToken });
  await admin.policy.put({ policy: RULES, ifVersion: 0 });
  const { token } = await admin.registry.register({ name: 'bencher', role: ROLE, version: '1.0.0' });
  if (token === undefined) throw new Error('The agent has no token');
  return { client: openClient(stack, core, token), token };
}

/** Another client of an agent. */
export function openClient(stack: AsyncDisposableStack, { url }: Measured, token: string): SwarmClient {
  const client = createSwarmClient({ url, token });
  stack.defer(() => client.close());
  return client;
}
