import { expect, test } from 'vitest';
import { waitFor } from './wait-for.ts';

test('gives what the condition gave, once it is truthy', async () => {
  const values = [0, '', undefined, null, false, 'there', 'too late'];
  expect(await waitFor(() => values.shift(), { what: 'a value', intervalMs: 1 })).toBe('there');
});

test('looks again at a condition that fails', async () => {
  let looks = 0;
  const condition = async () => {
    if (++looks < 3) throw new Error('not yet');
    return looks;
  };
  expect(await waitFor(condition, { what: 'the third look', intervalMs: 1 })).toBe(3);
});

test('the error names what was waited for, how long, and the last error', async () => {
  const condition = () => {
    throw new Error('connection refused');
  };
  await expect(waitFor(condition, { what: 'the server', timeoutMs: 20, intervalMs: 1 })).rejects.toThrow(
    'Waited 20 ms in vain for the server: connection refused',
  );
});
