import { expect, test } from 'vitest';
import { RefusalLog } from './refusal-log.ts';

test('refusals without a token are logged once a second at most, with their number', () => {
  let now = 5;
  const lines: object[] = [];
  const log = new RefusalLog({ monotonicMs: () => now }, { warn: (fields) => void lines.push(fields) });
  for (let refused = 0; refused < 1000; refused += 1) log.note('10.0.0.1');
  expect(lines).toEqual([{ refused: 1, address: '10.0.0.1' }]);
  now += 999;
  log.note('10.0.0.1');
  expect(lines).toHaveLength(1);
  now += 1;
  log.note('10.0.0.2');
  expect(lines.at(-1)).toEqual({ refused: 1001, address: '10.0.0.2' });
});
