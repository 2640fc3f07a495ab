import { expect, it } from 'vitest';
import { cpuSecondsOf } from './process-usage.ts';

it('counts fields after a name with spaces and parentheses', () => {
  const fields = ['S', ...Array.from({ length: 10 }, () => '0'), '250', '50', '0'];
  expect(cpuSecondsOf(`1234 (a (b) c) ${fields.join(' ')}`)).toBe(3);
});
