// The events that rows publish are of the size that the README tells.
import { expect, test } from 'vitest';
import { sampleEvent } from './sample-events.ts';

test('an event has about 200 bytes of data', () => {
  const bytes = Buffer.byteLength(JSON.stringify(sampleEvent(12_345).data));
  expect(bytes).toBeGreaterThan(180);
  expect(bytes).toBeLessThan(220);
});
