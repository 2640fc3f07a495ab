// From a goal to its result: the goal is submitted as an event, and followed by the events of the Architect and the agents.
import { type architectEvents, type EventInput, type Json, SwarmError } from '@hypercode/contracts';
import type { BusCalls } from '../bus/bus-calls.ts';
import type { Procedures } from '../calls/procedures.ts';
import { untilAnswered } from '../calls/until-answered.ts';
import { bounded } from '../transport/bounded.ts';
import type { Connection } from '../transport/connection.ts';
import { GoalError } from './goal-error.ts';
import { goalEvents, type GoalEvents, type GoalEventsOptions, planEvents, type SubmittedGoal } from './goal-events.ts';
import { type LogReader, readOutputs } from './task-outputs.ts';

/** A goal as its author gives it. Without `goalId` it is a new one. */
export type GoalInput = EventInput<typeof architectEvents, 'goal.submitted'>;

export interface GoalResult {
  readonly goalId: string;
  readonly planId: string;
  /** What each task gave. */
  readonly outputs: Readonly<Record<string, Json>>;
  /** How many outputs are left out, since they were not kept. */
  readonly omitted: number;
}

export interface GoalResultOptions extends GoalEventsOptions {
  /** Milliseconds until `result` rejects with UNAVAILABLE; the goal goes on. Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

export interface GoalHandle extends SubmittedGoal {
  /**
   * What happens to the goal from its submission on, in the order of the log: the events of its plan and its tasks. The stream is
   * resumed over lost connections, and ends after the event that ends the goal. Throws COMPACTED when the log has removed events
   * before they were read, and a refusal that no retry can help.
   */
  events(options?: GoalEventsOptions): GoalEvents;
  /** Resolves when the goal is reached. Rejects with a GoalError when it was not, and as `events` throws. */
  result(options?: GoalResultOptions): Promise<GoalResult>;
  /** Asks the Architect to give the goal up: `result` then rejects. One that has ended stays as it is. */
  cancel(reason?: string): Promise<void>;
  /**
   * Lets a plan that has failed go on from where it failed, and returns the goal from then on: `events` and `result` of this one have
   * ended. Rejects with CONFLICT when the plan has not failed. An agent whose policy allows `plan.retry` publishes that event, and is
   * not told so.
   */
  retry(reason?: string): Promise<GoalHandle>;
}

export interface Goals {
  /**
   * Submits a goal, and resolves when the core has it. The core checks it first: INVALID_INPUT names what is wrong. The same goal
   * (with its `goalId`) that is submitted again is one goal. Nothing that happens before the first call of `events` or `result` is
   * missed. The role needs `goal.submitted`, for `cancel` `goal.cancelled`, for `retry` `plan.retry`; and it must receive
   * `goal.rejected`, `goal.cancelled` and `plan.*`, for `events` `task.>` besides.
   */
  submit(goal: GoalInput, options?: { readonly signal?: AbortSignal | undefined }): Promise<GoalHandle>;
  /** Asks the Architect to give a goal up that was submitted elsewhere. */
  cancel: Procedures['goals']['cancel'];
}

/** What goals need of a client. */
export interface GoalCalls {
  readonly bus: Pick<BusCalls, 'publish' | 'subscribe'>;
  readonly procedures: Pick<Procedures, 'goals' | 'plans'>;
  readonly log: LogReader;
}

export function goalsOn(connection: Connection, calls: GoalCalls): Goals {
  const { goals } = calls.procedures;
  return {
    async submit(goal, { signal } = {}) {
      // With an id, the goal can be sent again when the answer was lost.
      const submission = { ...goal, goalId: goal.goalId ?? connection.clock.newId() };
      const { duplicate: _, ...submitted } = await untilAnswered(
        connection,
        () => goals.submit(submission, { signal }),
        signal,
      );
      return handleOf(connection, calls, submitted);
    },
    cancel: goals.cancel,
  };
}

function handleOf(connection: Connection, calls: GoalCalls, submitted: SubmittedGoal): GoalHandle {
  const { bus, log } = calls;
  const { goalId } = submitted;
  return {
    ...submitted,
    events: (options = {}) => goalEvents(bus, submitted, options),
    result: ({ timeoutMs = Infinity, signal: ends } = {}) =>
      bounded(connection.clock, { timeoutMs, signals: [ends, connection.closed] }, (ended) =>
        resultOf(bus, log, submitted, ended),
      ),
    async cancel(reason) {
      await bus.publish('goal.cancelled', { goalId, reason }, { correlationId: goalId });
    },
    retry: async (reason) =>
      handleOf(connection, calls, { ...submitted, position: await retried(calls, submitted, reason) }),
  };
}

/** The position of the event that retries the plan. */
async function retried(
  { bus, procedures }: GoalCalls,
  { goalId, planId }: SubmittedGoal,
  reason: string | undefined,
): Promise<string> {
  try {
    const { position } = await procedures.plans.retry({ planId, reason });
    return position;
  } catch (thrown) {
    // Agents may not call it, but publish the event, if their policy allows it.
    if (!SwarmError.from(thrown).is('FORBIDDEN')) throw thrown;
  }
  const { position } = await bus.publish('plan.retry', { planId, reason }, { correlationId: goalId });
  return position;
}

async function resultOf(
  bus: Pick<BusCalls, 'subscribe'>,
  log: LogReader,
  submitted: SubmittedGoal,
  signal: AbortSignal,
): Promise<GoalResult> {
  const { goalId } = submitted;
  for await (const { topic, data } of planEvents(bus, submitted, { signal })) {
    switch (topic) {
      case 'plan.completed': {
        // Another Architect may leave out what has a default.
        const completed: Pick<typeof data, 'planId'> & Partial<typeof data> = data;
        const { planId, outputs = {}, omitted = 0 } = completed;
        const read = await readOutputs({ planId, outputs }, log, (_, once) => once());
        return { goalId, planId, outputs: read, omitted };
      }
      case 'plan.failed':
        throw new GoalError('failed', { goalId, reason: data.reason });
      case 'plan.cancelled':
        throw new GoalError('cancelled', { goalId, reason: data.reason });
      case 'goal.rejected':
        throw new GoalError('rejected', { goalId, reason: data.reason });
      case 'plan.created':
      case 'plan.retry':
      case 'goal.cancelled':
        break;
    }
  }
  throw new SwarmError('UNAVAILABLE', 'the core or the client ended the stream before the goal had ended');
}
