// What waits for people, who reports nothing, and whose result counts.
import { agentSource } from '@hypercode/contracts';
import { APPROVE, REJECT } from '@hypercode/plans';
import { describe, expect, test } from 'vitest';
import { sampleAgent, sampleStep } from '../../test/sample-swarm.ts';
import { assignmentOf, published, started } from '../../test/scheduling/plans.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

const QUESTION = '33333333-3333-4333-8333-333333333333';
const ADA = { source: agentSource('default', 'ada') };
const CORE = { source: '/core' };

/** A task of `ada`, which has begun it. */
function begun(steps = [sampleStep('a')], goal = {}) {
  const simulation = new Simulation([sampleAgent('ada', ['work']), sampleAgent('bob', ['work'])]);
  const planId = started(simulation, steps, goal);
  const attempt = { planId, taskId: 'a', attempt: 1 };
  simulation.answer('ada', 'accepted', attempt);
  const after = (ms: number): void => {
    simulation.now += ms;
    simulation.settle();
  };
  const ask = (about: object = attempt, questionId = QUESTION) =>
    simulation.publish('question.ada.asked', { questionId, text: 'Which?', about }, ADA);
  return { simulation, planId, attempt, after, ask };
}

describe('a question to people', () => {
  test('stops the deadline of its task and of its goal until it is answered', () => {
    const { simulation, planId, after, ask } = begun(undefined, { deadlineMs: 70_000 });
    after(10_000);
    ask();
    after(80_000);
    expect(assignmentOf(simulation, planId)?.agent).toBe('ada');
    expect(published(simulation, 'task.ada.stalled')).toEqual([]);
    simulation.publish('question.ada.answered', { questionId: QUESTION, answer: 1, by: '/operators/eve' }, CORE);
    after(49_000);
    expect(assignmentOf(simulation, planId)?.agent).toBe('ada');
    after(1_000);
    expect(published(simulation, 'task.ada.cancelled')).toMatchObject([{ cause: 'late' }]);
    after(10_000);
    expect(simulation.plan(planId).status).toBe('failed');
    expect(simulation.replay()).toEqual(simulation.ledger);
  });

  test('stops it for no longer than the patience, over all questions of the task', () => {
    const { simulation, after, ask } = begun();
    ask();
    after(60_000);
    simulation.publish('question.ada.withdrawn', { questionId: QUESTION, reason: 'never mind' }, ADA);
    ask(undefined, QUESTION.replaceAll('3', '4'));
    after(99_000);
    expect(published(simulation, 'task.ada.cancelled')).toEqual([]);
    after(1_000);
    expect(published(simulation, 'task.ada.cancelled')).toMatchObject([{ cause: 'late' }]);
  });

  test.each<[string, object, object]>([
    ['of another agent', { source: agentSource('default', 'bob') }, {}],
    ['about an earlier attempt', ADA, { attempt: 7 }],
    [
      'about the goal, of an agent that is not the owner of its plan',
      ADA,
      { goalId: '22222222-2222-4222-8222-222222222222' },
    ],
  ])('%s stops nothing', (_, source, about) => {
    const { simulation, attempt, after } = begun(undefined, { deadlineMs: 200_000 });
    const whole = 'goalId' in about ? about : { ...attempt, ...about };
    simulation.publish('question.ada.asked', { questionId: QUESTION, text: 'Which?', about: whole }, source);
    after(60_000);
    expect(published(simulation, 'task.ada.cancelled')).toHaveLength(1);
  });

  test('is not answered by the agent that asks', () => {
    const { simulation, after, ask } = begun();
    ask();
    simulation.publish('question.ada.answered', { questionId: QUESTION, answer: 1 }, ADA);
    after(80_000);
    expect(published(simulation, 'task.ada.cancelled')).toEqual([]);
  });
});

describe('an agent that reports nothing', () => {
  test('is shown as stalled once, keeps its task until the deadline, and another agent gets it then', () => {
    const { simulation, planId, attempt, after } = begun();
    after(19_999);
    expect(published(simulation, 'task.ada.stalled')).toEqual([]);
    after(1);
    expect(published(simulation, 'task.ada.stalled')).toEqual([{ ...attempt, silentMs: 20_000 }]);
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'ada', stalledAt: simulation.now });
    after(39_000);
    expect(published(simulation, 'task.ada.stalled')).toHaveLength(1);
    after(1_000);
    expect(assignmentOf(simulation, planId)?.agent).toBe('bob');
  });

  test('is no longer stalled when it reports progress, and one that goes on reporting never is', () => {
    const { simulation, planId, attempt, after } = begun();
    after(20_000);
    for (let n = 1; n <= 5; n += 1) {
      simulation.answer('ada', 'progress', { ...attempt, progress: n / 10 });
      expect(assignmentOf(simulation, planId)?.stalledAt).toBeNull();
      after(19_000);
    }
    expect(published(simulation, 'task.ada.stalled')).toHaveLength(1);
    after(1_000);
    expect(published(simulation, 'task.ada.stalled')).toHaveLength(2);
  });
});

describe('a goal with approval', () => {
  const approving = () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    const planId = started(simulation, undefined, { approval: true, deadlineMs: 60_000 });
    const asked = () => published(simulation, 'question.architect.asked') as { questionId: string; text: string }[];
    const answer = (given: string, fields = {}) => {
      const { questionId } = asked().at(-1) ?? expect.unreachable();
      const data = { questionId, answer: given, by: '/operators/eve', ...fields };
      simulation.publish('question.architect.answered', data, CORE);
      simulation.settle();
    };
    return { simulation, planId, asked, answer };
  };

  test('begins once a person has approved its plan, and its deadline stands still until then', () => {
    const { simulation, planId, asked, answer } = approving();
    expect(asked()).toMatchObject([
      { text: expect.stringContaining('do a'), options: [{ id: APPROVE }, { id: REJECT }] },
    ]);
    simulation.now += 90_000;
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toBeNull();
    expect(simulation.plan(planId).status).toBe('running');
    answer(APPROVE);
    expect(assignmentOf(simulation, planId)?.agent).toBe('ada');
    expect(simulation.replay()).toEqual(simulation.ledger);
  });

  test('is cancelled with the comment when a person rejects its plan', () => {
    const { simulation, planId, answer } = approving();
    answer(REJECT, { comment: 'too dear' });
    expect(simulation.plan(planId)).toMatchObject({
      status: 'cancelled',
      reason: '/operators/eve did not approve the plan: too dear',
    });
    expect(published(simulation, 'task.ada.assigned')).toEqual([]);
  });

  test('is asked about again when the question was withdrawn, and no longer when the goal was cancelled', () => {
    const { simulation, planId, asked } = approving();
    const [first] = asked();
    simulation.publish('question.architect.withdrawn', { questionId: first?.questionId, reason: 'left' }, CORE);
    simulation.settle();
    expect(asked()).toHaveLength(1);
    simulation.now += 15_000;
    simulation.settle();
    expect(new Set(asked().map(({ questionId }) => questionId)).size).toBe(2);
    const { goalId } = simulation.plan(planId);
    simulation.publish('goal.cancelled', { goalId }, { source: '/operators/eve' });
    simulation.settle();
    expect(published(simulation, 'question.architect.withdrawn').at(-1)).toMatchObject({
      reason: 'the plan is cancelled',
    });
    expect(simulation.decide()).toEqual([]);
  });
});

describe('a result', () => {
  test('that does not fit is a failed attempt that says where, and nothing is built on it', () => {
    const { simulation, planId, attempt } = begun([sampleStep('a'), sampleStep('b', ['a'])]);
    const faults = new Map<string, { kind: 'checking' } | { kind: 'invalid'; reason: string }>([
      ['a', { kind: 'checking' }],
    ]);
    simulation.checks = { unsettled: () => faults };
    simulation.answer('ada', 'completed', { ...attempt, output: { n: 'x' } });
    simulation.settle();
    expect(assignmentOf(simulation, planId, 'b')).toBeNull();
    faults.set('a', { kind: 'invalid', reason: 'the output does not fit: /n' });
    const [action] = simulation.decide();
    expect(action).toMatchObject({ kind: 'void', taskId: 'a', attempt: 1, agent: 'ada', cause: 'invalid' });
    if (action !== undefined) simulation.perform(action);
    faults.clear();
    simulation.settle();
    expect(assignmentOf(simulation, planId)).toMatchObject({ agent: 'bob', attempt: 2 });
    expect(simulation.plan(planId).tasks.get('a')?.records.get(1)).toMatchObject({
      outcome: 'failed',
      error: 'the output does not fit: /n',
    });
    // Delivered again.
    simulation.publish('task.ada.completed', { ...attempt, output: { n: 'x' } }, ADA);
    expect(simulation.plan(planId).tasks.get('a')?.result).toBeNull();
    expect(simulation.replay()).toEqual(simulation.ledger);
    simulation.answer('bob', 'completed', { ...attempt, attempt: 2, output: { n: 1 } });
    simulation.settle();
    expect(assignmentOf(simulation, planId, 'b')).not.toBeNull();
  });

  test('an input that no agent takes fails the plan before any agent has it', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work'])]);
    simulation.checks = { inputFault: () => '/n: must be a number' };
    const planId = started(simulation, [{ ...sampleStep('a'), input: { n: 'x' } }]);
    expect(simulation.plan(planId)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('ada: /n: must be a number'),
    });
    expect(published(simulation, 'task.ada.assigned')).toEqual([]);
  });

  test('with a reviewer counts when the reviewer accepts it, who is never its author', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work', 'review']), sampleAgent('bob', ['work', 'review'])]);
    const planId = started(simulation, [
      { ...sampleStep('a'), review: { capability: 'review' } },
      sampleStep('b', ['a']),
    ]);
    const complete = (agent: string, taskId: string, attempt: number, output: object | string) => {
      simulation.answer(agent, 'completed', { planId, taskId, attempt, output: output as never });
      simulation.settle();
    };
    complete('ada', 'a', 1, 'draft');
    expect(assignmentOf(simulation, planId, 'a.review')).toMatchObject({ agent: 'bob' });
    expect(Object(published(simulation, 'task.bob.assigned').at(-1)).dependencies).toEqual({ a: 'draft' });
    complete('bob', 'a.review', 1, { accepted: false, reason: 'no tests' });
    expect(simulation.plan(planId).tasks.get('a')).toMatchObject({
      failed: 1,
      failure: { message: 'bob did not accept the result: no tests' },
    });
    expect(assignmentOf(simulation, planId, 'b')).toBeNull();
    const author = assignmentOf(simulation, planId)?.agent ?? '';
    expect(published(simulation, `task.${author}.assigned`).at(-1)).toMatchObject({
      attempt: 2,
      previous: { attempt: 1, agent: 'ada', error: 'bob did not accept the result: no tests' },
    });
    complete(author, 'a', 2, 'better');
    const reviewer = assignmentOf(simulation, planId, 'a.review')?.agent ?? '';
    expect([author, reviewer].toSorted()).toEqual(['ada', 'bob']);
    complete(reviewer, 'a.review', 2, 'fine');
    expect(simulation.plan(planId).tasks.get('a.review')).toMatchObject({ failed: 1 });
    complete(assignmentOf(simulation, planId, 'a.review')?.agent ?? '', 'a.review', 3, { accepted: true });
    const last = assignmentOf(simulation, planId, 'b');
    expect(last).not.toBeNull();
    expect(simulation.replay()).toEqual(simulation.ledger);
    complete(last?.agent ?? '', 'b', 1, 'done');
    expect(simulation.plan(planId).status).toBe('completed');
  });

  test('that only its author could review waits, and its plan fails with the reason', () => {
    const simulation = new Simulation([sampleAgent('ada', ['work', 'review'])]);
    const planId = started(simulation, [{ ...sampleStep('a'), review: { capability: 'review' } }]);
    simulation.answer('ada', 'completed', { planId, taskId: 'a', attempt: 1, output: 1 });
    simulation.settle();
    simulation.now += 30_000;
    simulation.settle();
    expect(simulation.plan(planId)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('ada is the author'),
    });
  });
});
