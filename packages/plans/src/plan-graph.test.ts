// Which tasks are a plan: every graph without a cycle, and no other.
import { LIMITS, type PlanTask } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planFaults } from './plan-graph.ts';

const task = (taskId: string, ...dependsOn: string[]): PlanTask => ({
  taskId,
  title: taskId,
  capability: 'work',
  dependsOn,
});

/** Tasks that depend on earlier ones only, in any order. */
const dags = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((rows) =>
    rows.map((needs, index) => {
      const earlier = index === 0 ? [] : needs.map((need) => `t${need % index}`);
      return task(`t${index}`, ...new Set(earlier));
    }),
  )
  .chain((tasks) => fc.shuffledSubarray(tasks, { minLength: tasks.length }));

const cyclesIn = (faults: readonly string[]): string[][] =>
  faults
    .filter((fault) => fault.startsWith('the tasks depend on each other in a cycle: '))
    .map((fault) => fault.slice('the tasks depend on each other in a cycle: '.length).split(' → '));

describe('a graph', () => {
  test('without a cycle is fine', () => {
    fc.assert(
      fc.property(dags, (tasks) => {
        expect(planFaults(tasks)).toEqual([]);
      }),
    );
  });

  test('with an edge back has a cycle, and what is named is one', () => {
    fc.assert(
      fc.property(dags, fc.nat(), fc.nat(), (tasks, some, length) => {
        const byId = new Map(tasks.map((each) => [each.taskId, each]));
        const last = tasks[some % tasks.length];
        fc.pre(last !== undefined && last.dependsOn.length > 0);
        let first = last;
        for (let step = 0; step <= length % 8; step += 1) first = byId.get(first.dependsOn[0] ?? '') ?? first;
        const looped = tasks.map((each) =>
          each === first ? { ...each, dependsOn: [...each.dependsOn, last.taskId] } : each,
        );
        const cycles = cyclesIn(planFaults(looped));
        expect(cycles).not.toHaveLength(0);
        const needs = new Map(looped.map(({ taskId, dependsOn }) => [taskId, dependsOn]));
        for (const cycle of cycles) {
          expect(cycle.at(-1)).toBe(cycle[0]);
          for (const [index, taskId] of cycle.slice(0, -1).entries()) {
            expect(needs.get(taskId)).toContain(cycle[index + 1]);
          }
        }
      }),
    );
  });

  test('may be as long as a plan may be', () => {
    const chain = Array.from({ length: LIMITS.planTasks }, (_, i) => task(`t${i}`, ...(i === 0 ? [] : [`t${i - 1}`])));
    expect(planFaults(chain)).toEqual([]);
    expect(planFaults(chain.toReversed())).toEqual([]);
    const ring = [task('t0', `t${LIMITS.planTasks - 1}`), ...chain.slice(1)];
    expect(planFaults(ring)).toEqual([
      'the tasks depend on each other in a cycle: t0 → t999 → t998 → t997 → t996 → t995 → t994 → t993 → t992 → t991 → (990 more) → t0',
    ]);
  });
});

test.each<[string, PlanTask[], string[]]>([
  ['no tasks', [], ['the plan has no tasks']],
  [
    'too many tasks',
    Array.from({ length: 1001 }, (_, i) => task(`t${i}`)),
    ['the plan has 1001 tasks; the limit is 1000'],
  ],
  ['an id twice', [task('a'), task('b'), task('a')], ['the task id "a" is given more than once']],
  ['a dangling dependency', [task('a', 'b')], ['the task "a" depends on "b", which is not a task of the plan']],
  [
    'a name of every object',
    [task('a', '__proto__')],
    ['the task "a" depends on "__proto__", which is not a task of the plan'],
  ],
  ['a task that needs itself', [task('a', 'a')], ['the task "a" depends on itself']],
  ['a dependency twice', [task('a'), task('b', 'a', 'a')], ['the task "b" depends on "a" more than once']],
  ['a cycle of two', [task('a', 'b'), task('b', 'a')], ['the tasks depend on each other in a cycle: a → b → a']],
  [
    'two cycles, and a task that depends on them',
    [task('z', 'a'), task('a', 'b'), task('b', 'a'), task('c', 'd'), task('d', 'c')],
    ['the tasks depend on each other in a cycle: a → b → a', 'the tasks depend on each other in a cycle: c → d → c'],
  ],
])('%s', (_, tasks, faults) => {
  expect(planFaults(tasks)).toEqual(faults);
});

describe('the size', () => {
  const sized = (bytes: number): PlanTask[] => [{ ...task('a'), input: 'x'.repeat(bytes) }];

  test('must leave room for the rest of the event', () => {
    expect(planFaults(sized(LIMITS.eventBytes - 5000))).toEqual([]);
    expect(planFaults(sized(LIMITS.eventBytes - 1000))).toEqual([
      expect.stringMatching(/^the plan is too large: as one event it takes \d{6} bytes; the limit is 262144$/),
    ]);
  });

  test('is counted in bytes', () => {
    const tasks = [{ ...task('a'), input: '€'.repeat(LIMITS.eventBytes / 3) }];
    expect(planFaults(tasks)).toHaveLength(1);
  });
});

test('the refusal of a plan with very many faults lists some of them and the number of the others', () => {
  const faults = planFaults(Array.from({ length: 1000 }, (_, i) => task(`t${i}`, 'x', 'y')));
  expect(faults).toHaveLength(21);
  expect(faults.at(-1)).toBe('and 1980 more');
});
