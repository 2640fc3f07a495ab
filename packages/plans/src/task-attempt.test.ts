// What a view shows of the attempts at a task, however each of them ended, and after a restart.
import { agentSource, type AttemptView, type CancelCause, PlanSummary, PlanView } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import { OURS, planIn, PlanEvents, step } from '../test/plan-events.ts';
import { type CheckpointPart, checkpointOf } from './checkpoint.ts';
import { summaryOf, viewOf } from './plan-view.ts';

const attemptsOf = (log: PlanEvents, planId: string): AttemptView[] => {
  const view = viewOf(planIn(log.follow(OURS), planId));
  expect(PlanView.parse(view)).toEqual(view);
  return view.tasks[0]?.attempts ?? [];
};
const withPlan = (): {
  log: PlanEvents;
  planId: string;
  of: (attempt: number) => { planId: string; taskId: string; attempt: number };
} => {
  const log = new PlanEvents();
  const planId = log.create([step('a')]);
  return { log, planId, of: (attempt) => ({ planId, taskId: 'a', attempt }) };
};
const ADA = agentSource('default', 'ada');

describe('the view of a task', () => {
  test('has no attempt before the first', () => {
    const { log, planId } = withPlan();
    expect(attemptsOf(log, planId)).toEqual([]);
  });

  test('has each attempt with its agent, its times, its end and why its agent was chosen', () => {
    const { log, planId, of } = withPlan();
    log.assign('ada', of(1));
    log.publish('task.ada.accepted', of(1), ADA);
    log.publish('task.ada.failed', { ...of(1), error: { message: 'no luck' } }, ADA);
    log.assign('eve', of(2), OURS, { because: 'has not tried the task yet' });
    log.complete('eve', of(2), 'done');
    const [assigned, accepted, failed] = log.events.slice(1).map(({ time }) => time);
    const [, , , , again, completed] = log.events.map(({ time }) => time);
    const deadlineAt = expect.any(String);
    expect(attemptsOf(log, planId)).toEqual([
      {
        ...{
          attempt: 1,
          agent: 'ada',
          assignedAt: assigned,
          acceptedAt: accepted,
          stalledAt: null,
          endedAt: failed,
          deadlineAt,
        },
        ...{ outcome: 'failed', error: 'no luck', because: null },
      },
      {
        ...{
          attempt: 2,
          agent: 'eve',
          assignedAt: again,
          acceptedAt: null,
          stalledAt: null,
          endedAt: completed,
          deadlineAt,
        },
        ...{ outcome: 'completed', error: null, because: 'has not tried the task yet' },
      },
    ]);
  });

  test.each<[CancelCause | undefined, string]>([
    ['late', 'timed_out'],
    ['silent', 'not_accepted'],
    ['moved', 'moved'],
    ['lost', 'lost'],
    ['over', 'cancelled'],
    [undefined, 'cancelled'],
  ])('calls an attempt that was taken back for the cause %s %s', (cause, outcome) => {
    const { log, planId, of } = withPlan();
    log.assign('ada', of(1));
    log.publish('task.ada.cancelled', { ...of(1), reason: 'why', ...(cause === undefined ? {} : { cause }) }, OURS);
    expect(attemptsOf(log, planId)).toMatchObject([{ outcome, error: 'why' }]);
    const [task] = viewOf(planIn(log.follow(OURS), planId)).tasks;
    expect(task?.error).toBe(cause === 'late' ? 'why' : null);
  });

  test.each(['failed', 'cancelled'])('calls an attempt timed out whose end at the deadline is %s', (end) => {
    const { log, planId, of } = withPlan();
    log.assign('ada', of(1), OURS, { deadlineAt: log.time });
    const data = { ...of(1), reason: 'why', cause: 'silent', error: { message: 'why' } };
    log.publish(`task.ada.${end}`, data, end === 'failed' ? ADA : OURS);
    expect(attemptsOf(log, planId)).toMatchObject([{ outcome: 'timed_out', error: 'why' }]);
  });

  test('shows the result of an attempt that had timed out before', () => {
    const { log, planId, of } = withPlan();
    log.assign('ada', of(1));
    log.publish('task.ada.cancelled', { ...of(1), reason: 'why', cause: 'late' }, OURS);
    log.assign('eve', of(2));
    log.complete('ada', of(1));
    expect(attemptsOf(log, planId)).toMatchObject([
      { outcome: 'completed', error: null },
      { outcome: 'running', endedAt: null },
    ]);
  });

  test('has the latest attempts of many, with the beginning of long errors', () => {
    const { log, planId, of } = withPlan();
    for (let attempt = 1; attempt <= 40; attempt += 1) {
      log.assign('ada', of(attempt));
      log.publish('task.ada.failed', { ...of(attempt), error: { message: 'x'.repeat(4096) } }, ADA);
    }
    const attempts = attemptsOf(log, planId);
    expect(attempts.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 32 }, (_, i) => i + 9));
    expect(attempts.at(-1)?.error).toHaveLength(512);
  });
});

describe('a checkpoint', () => {
  const restored = (change: (entry: Record<string, unknown>) => unknown): AttemptView[] => {
    const { log, planId, of } = withPlan();
    log.assign('ada', of(1));
    log.publish('task.ada.failed', { ...of(1), error: { message: 'no luck' } }, ADA);
    log.assign('eve', of(2));
    const [part] = checkpointOf(planIn(log.follow(OURS), planId), crypto.randomUUID()) as [CheckpointPart];
    const entries = (JSON.parse(part.text) as Record<string, unknown>[]).map(change);
    const later = new PlanEvents();
    later.publish('architect.architect.checkpoint', { ...part, text: JSON.stringify(entries) }, OURS);
    const plan = planIn(later.read(OURS), planId);
    expect(summaryOf(plan)).toEqual(PlanSummary.parse(summaryOf(plan)));
    return viewOf(plan).tasks[0]?.attempts ?? [];
  };

  test('restores the attempts', () => {
    expect(restored((entry) => entry)).toMatchObject([
      { agent: 'ada', outcome: 'failed', error: 'no luck' },
      { agent: 'eve', outcome: 'running' },
    ]);
  });

  test('of an Architect that wrote no records restores the agents, and the attempt that runs', () => {
    expect(restored(({ records: _, ...entry }) => entry)).toMatchObject([
      { agent: 'ada', assignedAt: null, outcome: 'unknown', error: null },
      { agent: 'eve', assignedAt: expect.any(String), outcome: 'running' },
    ]);
  });
});
