import { policyText } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { checkPolicy } from './check-policy.ts';

const NOTHING = { publish: [], subscribe: [] };

/** What is wrong, and the text that is underlined. */
const problemsOf = (text: string): [string, string][] =>
  checkPolicy(text).problems.map(({ from, to, message }) => [text.slice(from, to), message]);

test('a policy without a fault gives its rules, with or without its version', () => {
  const rules = { roles: { worker: { publish: ['task.{name}.>'], subscribe: ['a.*'] } }, default: NOTHING };
  expect(checkPolicy(policyText(rules))).toEqual({ rules, problems: [] });
  expect(checkPolicy(JSON.stringify({ version: 3, ...rules }))).toEqual({ rules, problems: [] });
});

test('what is no JSON is shown where it stops to be', () => {
  const { rules, problems } = checkPolicy('{"roles": {}, "default": ]}');
  expect(rules).toBeNull();
  expect(problems).toEqual([{ from: 25, to: 26, message: expect.stringMatching(/^Not JSON: /) }]);
  expect(checkPolicy('').problems).toHaveLength(1);
});

test('each fault is shown at its value, and a missing field at what it is missing in', () => {
  const text = policyText({
    roles: { worker: { publish: ['ok.*', 'not ok'], subscribe: [] }, helper: { publish: [] } as never },
    default: NOTHING,
  });
  expect(problemsOf(text)).toEqual([
    ['"helper"', expect.stringContaining('expected array')],
    ['"not ok"', expect.stringContaining('topic pattern')],
  ]);
});

test('a role whose name is none is shown at its name', () => {
  const text = JSON.stringify({ roles: { 'Bad Role': NOTHING }, default: NOTHING });
  expect(problemsOf(text)).toEqual([['"Bad Role"', expect.stringMatching(/lower-case/)]]);
});

test('a mistyped field is a fault, since the core would refuse it', () => {
  const text = JSON.stringify({ roles: { worker: { ...NOTHING, publishes: [] } }, default: NOTHING });
  expect(problemsOf(text)).toEqual([['"publishes"', expect.stringContaining('Known are publish, subscribe')]]);
});

test('a role that is there twice is a fault, since the first would be lost', () => {
  const worker = '{"publish":[],"subscribe":[]}';
  const text = `{"roles":{"worker":${worker},"worker":${worker}},"default":${worker}}`;
  expect(problemsOf(text)).toEqual([['"worker"', expect.stringContaining('twice')]]);
  expect(checkPolicy(text).problems[0]?.from).toBe(text.lastIndexOf('"worker"'));
});
