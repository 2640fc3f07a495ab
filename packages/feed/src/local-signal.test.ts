import { signalConformance } from '../testing/signal.ts';
import { expect, test } from 'vitest';
import { createLocalSignal } from './local-signal.ts';

signalConformance('createLocalSignal', async () => {
  const signal = createLocalSignal();
  return { first: signal, second: signal };
});

test('a local signal reports an exception of a listener, even to a handler that throws', async () => {
  const errors: string[] = [];
  const signal = createLocalSignal({
    onError(error) {
      errors.push(error.message);
      throw new Error('a fault in the handler');
    },
  });
  signal.subscribe('a', () => {
    throw new Error('a fault');
  });
  signal.notify('a');
  await Promise.resolve();
  expect(errors).toEqual(['a fault']);
  await signal.close();
});
