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

/** What an agent asks people. Others answer. */
const OWN_QUESTIONS = ['question.{name}.asked', 'question.{name}.withdrawn'];
const OWN_ANSWERS = 'question.{name}.answered';
const ABOUT_OWN_QUESTIONS = 'question.{name}.>';

/** Every role may ask people, and none answers itself. */
const asking = (role: RolePolicy): RolePolicy => ({
  ...role,
  publish: [...role.publish, ...OWN_QUESTIONS],
  denyPublish: [...(role.denyPublish ?? []), OWN_ANSWERS],
  subscribe: role.subscribe.includes('>') ? role.subscribe : [...role.subscribe, ABOUT_OWN_QUESTIONS],
});

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
      architect: asking({
        publish: ['goal.>', 'plan.>', ...ofArchitect('*'), 'architect.{name}.>', ANY_INBOX],
        subscribe: ['goal.>', 'plan.>', 'task.>', 'question.>', 'architect.>', 'system.>', OWN_INBOX],
      }),
      coder: asking(craft(['code.>', 'build.>'], ['review.>', 'test.>'])),
      qa: asking(craft(['test.>', 'review.>'], ['code.>', 'build.>'])),
      worker: asking(worker),
      observer: asking({ publish: [], subscribe: ['>'] }),
    },
    default: asking({ publish: [], subscribe: [OWN_INBOX] }),
  }),
};
