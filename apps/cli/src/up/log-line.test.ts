import { expect, test } from 'vitest';
import { logLine } from './log-line.ts';

test('a line of JSON becomes a line that a person reads', () => {
  const fields = { level: 40, time: 1_772_000_000_000, pid: 1, hostname: 'a', name: 'architect', goal: 'g1', count: 2 };
  expect(logLine(JSON.stringify({ ...fields, msg: 'no agent offers it' }))).toBe(
    '06:13:20 warn no agent offers it goal=g1 count=2',
  );
});

test('an error is its message', () => {
  const line = JSON.stringify({
    level: 50,
    time: 0,
    err: { message: 'no disk', stack: 'Error: no disk\n at a' },
    msg: 'm',
  });
  expect(logLine(line)).toBe('00:00:00 error m err="no disk"');
});

test.each(['plain words', '{', '[1]', 'null', '{"level":30}', '{"level":30,"time":1e300,"msg":"m"}'])(
  'a line that is no log line stays as it is: %s',
  (line) => {
    expect(logLine(line)).toBe(line);
  },
);
