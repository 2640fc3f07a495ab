import type { EventTrace, GroupFate, LoggedEvent } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { axisOf } from './fate-axis.ts';
import { partsOf } from './fate-parts.ts';

const START = Date.parse('2026-05-01T12:00:00.000Z');
const at = (ms: number): string => new Date(START + ms).toISOString();

const logged = (topic: string, ms: number): LoggedEvent =>
  ({ position: topic, event: { id: topic, topic, source: '/agents/default/ada', time: at(ms) } }) as LoggedEvent;

const failed = (attempt: number, from: number, to: number) => ({
  ...{ attempt, consumer: `w${attempt}`, deliveredAt: at(from), failedAt: at(to), reason: 'no disk' },
});

const fate = (fields: Partial<GroupFate>): GroupFate => ({
  ...{ group: 'mail', state: 'unread', since: null, attempt: null, consumer: null, settledBy: null, deliveredAt: null },
  ...{ dueAt: null, settledAt: null, reason: null, history: [] },
  ...fields,
});

const trace = (groups: GroupFate[]): EventTrace =>
  ({
    event: logged('order.made', 0),
    admittedBy: { source: '/agents/default/ada', rule: 'order.>', policyVersion: 3 },
    groups,
    streams: { asOf: at(0), omitted: 0, list: [] },
    causes: [logged('near', -10), logged('far', -20)],
    effects: [logged('paid', 40)],
  }) as unknown as EventTrace;

test('the parts come in the order of what led to what, and a group that the event does not concern is none', () => {
  const parts = partsOf(trace([fate({ group: 'a' }), fate({ group: 'b', state: 'not_matching' })]));
  expect(parts.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
    'cause far',
    'cause near',
    'event order.made',
    'group a',
    'effect paid',
  ]);
  expect(parts[2]?.words.why).toBe('the rule order.>, in version 3 of the policy');
});

test('each attempt is a span: those that failed, and the one that was acknowledged or is under way', () => {
  const history = [failed(1, 100, 140), failed(2, 1000, 1040)];
  const acked = {
    history,
    state: 'acked',
    attempt: 3,
    consumer: 'w3',
    deliveredAt: at(3000),
    settledAt: at(3050),
  } as const;
  const open = {
    history,
    state: 'in_flight',
    attempt: 3,
    consumer: 'w3',
    deliveredAt: at(3000),
    dueAt: at(9000),
  } as const;
  const spansOf = (fields: Partial<GroupFate>) =>
    partsOf(trace([fate(fields)])).find(({ kind }) => kind === 'group')?.spans ?? [];
  const words = (fields: Partial<GroupFate>) =>
    spansOf(fields).map(({ attempt, consumer, outcome }) => `${attempt} ${consumer} ${outcome}`);
  expect(words(acked)).toEqual(['1 w1 no disk', '2 w2 no disk', '3 w3 acknowledged']);
  expect(words(open)).toEqual(['1 w1 no disk', '2 w2 no disk', '3 w3 under way']);
  expect(spansOf(open).at(-1)).toMatchObject({ toMs: null, dueMs: START + 9000 });
  // Of a dead letter, the last delivery is the last attempt of the history.
  expect(words({ history, state: 'dead', attempt: 2, deliveredAt: at(1000) })).toHaveLength(2);
});

test('later is further right, a short attempt beside a long wait is seen, and named moments do not touch', () => {
  const history = [failed(1, 10, 50), failed(2, 3_600_000, 3_600_040)];
  const parts = partsOf(trace([fate({ state: 'dead', history })]));
  const { placeOf, ticks } = axisOf(parts, START + 4_000_000);
  const moments = [-20, -10, 0, 10, 40, 50, 3_600_000, 3_600_040].map((ms) => placeOf(START + ms));
  expect(moments).toEqual(moments.toSorted((a, b) => a - b));
  expect([moments[0], moments.at(-1)]).toEqual([0, 1]);
  expect(placeOf(START + 3_600_040) - placeOf(START + 3_600_000)).toBeGreaterThan(0.04);
  for (const [index, tick] of ticks.slice(1).entries())
    expect(tick.place - (ticks[index]?.place ?? 0)).toBeGreaterThanOrEqual(0.12);
});
