// For tests of goals and plans: what an Architect and an agent publish, by an administrator in their place.
import { LIMITS, type PublishResult } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import type { TestCore } from '../../testing/core.ts';

export const step = (id: string, dependsOn: string[] = []) => ({
  id,
  title: `do ${id}`,
  capability: 'work',
  dependsOn,
});

export interface Swarm {
  readonly namespace: string;
  publish(topic: string, data: unknown): Promise<PublishResult>;
  /** Calls a route, and gives its status and JSON. */
  call(path: string, options?: { method?: string; json?: unknown; token?: string }): Promise<Answer>;
  /** Submits a goal, and gives its ids. */
  submit(goal?: object): Promise<{ goalId: string; planId: string; eventId: string }>;
  /** The plan of a goal, of tasks after one another. */
  create(ids: { goalId: string; planId: string }, taskIds: readonly string[]): Promise<PublishResult>;
  assign(agent: string, task: { planId: string; taskId: string; attempt: number }): Promise<PublishResult>;
}

export interface Answer {
  readonly status: number;
  readonly location: string | null;
  // oxlint-disable-next-line typescript/no-explicit-any -- any JSON: each test compares the fields of its own answer
  readonly body: any;
}

export function swarmOn(core: TestCore, namespace = core.freshNamespace()): Swarm {
  const call: Swarm['call'] = async (path, { method, ...options } = {}) => {
    const answer = await core.fetch(path, {
      namespace,
      method: method ?? ('json' in options ? 'POST' : 'GET'),
      ...options,
    });
    return { status: answer.status, location: answer.headers.get('location'), body: await answer.json() };
  };
  const publish: Swarm['publish'] = (topic, data) =>
    core.bus.publish({ kind: 'operator', id: 'test', name: 'test', readOnly: false }, namespace, {
      topic,
      data: data as never,
    });
  return {
    namespace,
    publish,
    call,
    submit: async (goal = { title: 'a goal', steps: [step('a')] }) => (await call('/v1/goals', { json: goal })).body,
    create: ({ goalId, planId }, taskIds) => {
      const tasks = taskIds.map((taskId, index) => ({
        ...{ taskId, title: `do ${taskId}`, capability: 'work' },
        dependsOn: taskIds.slice(Math.max(0, index - 1), index),
      }));
      return publish('plan.created', { planId, goalId, title: 'a goal', tasks, planner: 'steps', deadlineAt: null });
    },
    assign: (agent, task) =>
      publish(`task.${agent}.assigned`, {
        ...task,
        ...{ goalId: randomUUID(), capability: 'work', title: 'x', input: null, dependencies: {} },
        deadlineAt: new Date(Date.now() + LIMITS.goalDeadlineMs).toISOString(),
        because: 'only this agent offers the capability',
      }),
  };
}
