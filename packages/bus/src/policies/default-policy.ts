// The policy that ships with the product: useful roles, and nothing for roles that are not described.
import type { Policy, RolePolicy } from '@hypercode/contracts';
import { withDefaultConsume } from './consume-rules.ts';

/** Where an agent is written to, and where agents that may write to others do. */
const OWN_INBOX = 'agent.{name}.inbox.>';
const ANY_INBOX = 'agent.*.inbox.>';
/** Tasks of the agent's own: assigned to it, and answered by it. */
const OWN_TASKS = 'task.{name}.>';
/** What the architect publishes of an agent's tasks, and the agent itself does not. */
const ARCHITECTS_KINDS = ['assigned', 'cancelled', 'rejected', 'stalled'];
const ofArchitect = (agent: string): string[] => ARCHITECTS_KINDS.map((kind) => `task.${agent}.${kind}`);
/** Outputs that a task depends on, where the assignment refers to them. */
const OUTPUTS = 'task.*.completed';

/** Takes tasks, reports on them, and writes to others. */
const worker: RolePolicy = {
  publish: [OWN_TASKS, ANY_INBOX],
  denyPublish: ofArchitect('{name}'),
  subscribe: [OWN_TASKS, OUTPUTS, OWN_INBOX, 'plan.>'],
};

/** A worker that also publishes about its own trade, and receives events of the neighbouring ones. */
const craft = (publishes: string[], subscribes: string[]): RolePolicy => ({
  ...worker,
  publish: [...worker.publish, ...publishes],
  subscribe: [...worker.subscribe, ...publishes, ...subscribes],
});

export const DEFAULT_POLICY: Policy = {
  version: 0,
  ...withDefaultConsume({
    roles: {
      architect: {
        publish: ['goal.>', 'plan.>', ...ofArchitect('*'), 'architect.{name}.>', ANY_INBOX],
        subscribe: ['goal.>', 'plan.>', 'task.>', 'architect.>', 'system.>', OWN_INBOX],
      },
      coder: craft(['code.>', 'build.>'], ['review.>', 'test.>']),
      qa: craft(['test.>', 'review.>'], ['code.>', 'build.>']),
      worker,
      observer: { publish: [], subscribe: ['>'] },
    },
    default: { publish: [], subscribe: [OWN_INBOX] },
  }),
};
