import { HeldClock } from '@hypercode/clock/testing';
import { SwarmError } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { RegistrationRates } from './registration-rates.ts';

const TOKEN = { id: 'token' };
const ADA = { namespace: 'n', name: 'ada' };
/** Of a rate of 1 a second, at once: ten seconds' worth. */
const BURST = 10;

const open = (perSecond = 1) => new RegistrationRates({ perSecond, clock: new HeldClock() });

/** How many of so many calls are taken before the first refusal, and its message. */
function taken(call: (index: number) => void, calls = 10_000): { count: number; message: string | null } {
  for (let count = 0; count < calls; count += 1) {
    try {
      call(count);
    } catch (error) {
      if (error instanceof SwarmError && error.code === 'RATE_LIMITED') return { count, message: error.message };
      throw error;
    }
  }
  return { count: calls, message: null };
}

test('a name that is registered in a loop leaves the token its share, and the refusal names the limit', () => {
  const rates = open();
  expect(taken(() => rates.register(TOKEN, ADA))).toEqual({
    count: BURST,
    message: 'more than 1 registrations of one name per second',
  });
  expect(taken(() => rates.register(TOKEN, { ...ADA, name: 'eve' })).count).toBe(BURST);
  expect(taken(() => rates.register(TOKEN, { ...ADA, namespace: 'other' })).count).toBe(BURST);
});

test('a token registers 50 times as often as a name, and another token has a share of its own', () => {
  const rates = open();
  const fresh = (token: { id: string }) => taken((index) => rates.register(token, { ...ADA, name: `a-${index}` }));
  expect(fresh(TOKEN)).toEqual({ count: 50 * BURST, message: 'more than 50 registrations with one token per second' });
  expect(fresh({ id: 'other' }).count).toBe(50 * BURST);
});

test('registrations of a name with one token do not use up those with another', () => {
  const rates = open();
  taken(() => rates.register(TOKEN, ADA));
  expect(taken(() => rates.register({ id: 'other' }, ADA)).count).toBe(BURST);
});

test('updates are counted by agent, and apart from registrations', () => {
  const rates = open();
  taken(() => rates.register(TOKEN, ADA));
  expect(taken(() => rates.update(ADA))).toEqual({
    count: BURST,
    message: 'more than 1 updates of one agent per second',
  });
  expect(taken(() => rates.update({ ...ADA, name: 'eve' })).count).toBe(BURST);
  expect(taken(() => rates.register(TOKEN, { ...ADA, name: 'eve' })).count).toBe(BURST);
});

test('a rate of 0 is no limit', () => {
  const rates = open(0);
  expect(taken(() => rates.register(TOKEN, ADA), 1000).message).toBeNull();
  expect(taken(() => rates.update(ADA), 1000).message).toBeNull();
});

test('a registration or an update counts once for each 64 KiB of its capabilities', () => {
  const rates = open();
  const large = [{ id: 'a', inputSchema: { description: 'x'.repeat(300_000) } }];
  expect(taken(() => rates.register(TOKEN, ADA, large)).count).toBe(BURST / 5);
  expect(taken(() => rates.register(TOKEN, { ...ADA, name: 'eve' }, [{ id: 'a' }])).count).toBe(BURST);
  expect(taken(() => rates.update(ADA, large)).count).toBe(BURST / 5);
});
