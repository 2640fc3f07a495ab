import { expect, test } from 'vitest';
import { assertSameSettings, groupSettings, newSettings } from './group-settings.ts';

const SETTINGS = { topics: ['a.*', 'b'], ackDeadlineMs: 1000, maxDeliveries: 3 };
const GROUP = { ...SETTINGS, made: SETTINGS };

test('settings with the same topics in another order, or twice, are the same settings', () => {
  expect(groupSettings({ ...SETTINGS, topics: ['b', 'a.*', 'b'] })).toEqual(SETTINGS);
  expect(() => assertSameSettings('crew', GROUP, { ...SETTINGS, topics: ['b', 'a.*', 'b'] })).not.toThrow();
});

test.each([{ topics: ['a.*'] }, { ackDeadlineMs: 999 }, { maxDeliveries: 4 }])(
  'settings with %j are a CONFLICT that names what differs, with the settings of the group and of the call',
  (change) => {
    expect(() => assertSameSettings('crew', GROUP, { ...SETTINGS, ...change })).toThrow(
      expect.objectContaining({
        code: 'CONFLICT',
        message: `consumer group "crew" exists with different ${Object.keys(change).join()}`,
        details: { existing: SETTINGS, requested: { ...SETTINGS, ...change } },
      }),
    );
  },
);

test('a caller joins with the settings in force, with those that the group was made with, and with those that it leaves out', () => {
  const changed = { topics: ['c'], ackDeadlineMs: 5000, maxDeliveries: 3, made: SETTINGS };
  for (const wanted of [{}, { maxDeliveries: 3 }, { topics: ['c'], ackDeadlineMs: 5000 }, SETTINGS]) {
    expect(() => assertSameSettings('crew', changed, wanted)).not.toThrow();
  }
  expect(() => assertSameSettings('crew', changed, { topics: ['c'], ackDeadlineMs: 1000 })).toThrow(
    expect.objectContaining({
      details: {
        existing: { topics: ['c'], ackDeadlineMs: 5000, maxDeliveries: 3 },
        requested: { topics: ['c'], ackDeadlineMs: 1000, maxDeliveries: 3 },
      },
    }),
  );
});

test('a new group has the default deadline and attempts, and no default topics', () => {
  expect(newSettings({ topics: ['b', 'a'] })).toEqual({ topics: ['a', 'b'], ackDeadlineMs: 30_000, maxDeliveries: 5 });
  expect(newSettings({ maxDeliveries: 1 })).toBeNull();
});
