// Assigning tasks in tests, and what is published about them.
import type { Json, SwarmEvent, TaskAssigned } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { type SwarmClient, taskEventId } from '../../src/index.ts';

export interface TaskAnswer {
  /** The last segment of the topic, such as `completed`. */
  readonly kind: string;
  readonly event: SwarmEvent;
  readonly data: Record<string, Json>;
}

/** The trace that every task belongs to. */
export const TRACEPARENT = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
/** The conversation that a task belongs to. */
export const conversationOf = ({ goalId }: TaskAssigned): string => `goal ${goalId}`;

export class TaskDesk {
  /** All events about tasks, in the order in which they were received. */
  readonly events: SwarmEvent[] = [];
  readonly #operator: SwarmClient;

  /** Receives events until `operator` is closed. */
  constructor(operator: SwarmClient) {
    this.#operator = operator;
    operator.on('task.>', (event) => this.events.push(event));
  }

  /** Assigns a task to the agent `name` as the Architect would. */
  async assign(name: string, task: Partial<TaskAssigned> = {}): Promise<TaskAssigned> {
    const assigned: TaskAssigned = {
      planId: crypto.randomUUID(),
      goalId: crypto.randomUUID(),
      taskId: 't1',
      attempt: 1,
      capability: 'work',
      title: 'work',
      input: null,
      dependencies: {},
      deadlineAt: new Date(Date.now() + 60_000).toISOString(),
      incarnation: null,
      ...task,
    };
    await this.#operator.publish(`task.${name}.assigned`, assigned, {
      id: taskEventId(assigned, 'assigned'),
      correlationId: conversationOf(assigned),
      traceparent: TRACEPARENT,
    });
    return assigned;
  }

  /** The kinds of events about the task, without its assignment. */
  kindsOf(task: TaskAssigned): string[] {
    return this.#answersTo(task).map(({ kind }) => kind);
  }

  /** Waits for the first event of this kind about the task. */
  answerOf(task: TaskAssigned, kind: string): Promise<TaskAnswer> {
    return waitFor(() => this.#answersTo(task).find((answer) => answer.kind === kind), {
      what: `"${kind}" of the task`,
    });
  }

  #answersTo({ planId }: TaskAssigned): TaskAnswer[] {
    return this.events.flatMap((event) => {
      const data = event.data as Record<string, Json>;
      const kind = event.topic.split('.')[2] ?? '';
      return data['planId'] === planId && kind !== 'assigned' ? [{ kind, event, data }] : [];
    });
  }
}
