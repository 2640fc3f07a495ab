import { expect, test } from 'vitest';
import { assertSameSettings, groupSettings } from './group-settings.ts';

const SETTINGS = { topics: ['a.*', 'b'], ackDeadlineMs: 1000, maxDeliveries: 3 };

test('settings with the same topics in another order, or twice, are the same settings', () => {
  expect(groupSettings({ ...SETTINGS, topics: ['b', 'a.*', 'b'] })).toEqual(SETTINGS);
  expect(() => assertSameSettings('crew', SETTINGS, { ...SETTINGS, topics: ['b', 'a.*', 'b'] })).not.toThrow();
});

test.each([{ topics: ['a.*'] }, { ackDeadlineMs: 999 }, { maxDeliveries: 4 }])(
  'settings with %j are a CONFLICT that names what differs, with the settings of the group and of the call',
  (change) => {
    expect(() => assertSameSettings('crew', SETTINGS, { ...SETTINGS, ...change })).toThrow(
      expect.objectContaining({
        code: 'CONFLICT',
        message: `consumer group "crew" exists with different ${Object.keys(change).join()}`,
        details: { existing: SETTINGS, requested: { ...SETTINGS, ...change } },
      }),
    );
  },
);
