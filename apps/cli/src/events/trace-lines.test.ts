import type { EventTrace, GroupFate } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import { type Line, partsOf } from '../output/parts.ts';
import { traceLines } from './trace-lines.ts';

const NOW = Date.parse('2026-03-01T12:10:00.000Z');
const ID = '0190f1d2-0000-7000-8000-00000000000';

const logged = (number: number, topic: string, source = '/agents/default/ada') => ({
  position: `1-${number}`,
  appendedAt: `2026-03-01T12:00:0${number}.000Z`,
  event: {
    id: ID + number,
    topic,
    data: { n: number },
    time: '2026-03-01T12:00:00.000Z',
    namespace: 'default',
    source,
  },
});

const fate = (group: string, state: GroupFate['state'], more: Partial<GroupFate> = {}): GroupFate => ({
  ...{ group, state, since: '1-0', attempt: null, consumer: null, settledBy: null },
  ...{ deliveredAt: null, dueAt: null, settledAt: null, reason: null, history: [] },
  ...more,
});

const trace = (more: Partial<EventTrace> = {}): EventTrace => ({
  event: logged(5, 'build.requested'),
  kept: true,
  duplicates: 0,
  admittedBy: { source: '/agents/default/ada', rule: 'build.>', policyVersion: 3 },
  groups: [],
  otherGroups: 0,
  streams: { asOf: '2026-03-01T12:09:59.000Z', omitted: 0, list: [] },
  causes: [],
  effects: [],
  effectsComplete: true,
  ...more,
});

const textOf = (line: Line): string =>
  partsOf(line)
    .map((part) => (typeof part === 'string' ? part : part.text))
    .join('');
const drawn = (given: EventTrace): string => traceLines(given, NOW).map(textOf).join('\n');
const lastLine = (given: EventTrace): string => drawn(given).split('\n').at(-1) ?? '';

const DELIVERED = { deliveredAt: '2026-03-01T12:00:06.000Z', consumer: 'worker-1', attempt: 1 };
const FAILED = {
  ...{
    attempt: 1,
    consumer: 'worker-1',
    deliveredAt: '2026-03-01T12:00:06.000Z',
    failedAt: '2026-03-01T12:00:36.000Z',
  },
  reason: null,
};

describe('the trace of an event', () => {
  test('shows every state of a group in words, with who, when and why', () => {
    const groups = [
      fate('acked', 'acked', { ...DELIVERED, settledBy: 'worker-1', settledAt: '2026-03-01T12:00:06.250Z' }),
      fate('before', 'before_group'),
      fate('dead', 'dead', {
        ...{ attempt: 2, reason: 'exit 3' },
        history: [FAILED, { ...FAILED, attempt: 2, consumer: 'worker-2', reason: 'exit 3' }],
      }),
      fate('discarded', 'discarded', { settledBy: '/operators/eve', settledAt: '2026-03-01T12:05:00.000Z' }),
      fate('flying', 'in_flight', { ...DELIVERED, attempt: 2, dueAt: '2026-03-01T12:11:00.000Z', history: [FAILED] }),
      fate('lost', 'skipped', { reason: 'log_lost' }),
      fate('other', 'not_matching'),
      fate('sought', 'skipped', { reason: 'seek' }),
      fate('unknown', 'unknown'),
      fate('unread', 'unread'),
      fate('waiting', 'waiting', { ...DELIVERED, dueAt: '2026-03-01T12:12:00.000Z', reason: 'out of memory' }),
    ];
    expect(drawn(trace({ groups, otherGroups: 2 }))).toMatchInlineSnapshot(`
      "build.requested
      ├─ id 0190f1d2-0000-7000-8000-000000000005
      ├─ from /agents/default/ada
      ├─ at 1-5, appended 12:00:05.000Z
      ├─ data {"n":5}
      ├─ ✓ admitted by the rule build.> of policy version 3
      ├─ groups
      │  ├─ ✓ acked  acknowledged by worker-1 at 12:00:06.250Z, attempt 1, after 250ms
      │  ├─ ✗ dead  dead letter after 2 attempts: exit 3
      │  │  ├─ attempt 1: worker-1 had it at 12:00:06.000Z for 30s: it was not acknowledged before its deadline
      │  │  └─ attempt 2: worker-2 had it at 12:00:06.000Z for 30s: exit 3
      │  ├─ ✗ discarded  discarded by /operators/eve at 12:05:00.000Z
      │  ├─ → flying  in flight: worker-1 has it since 12:00:06.000Z, attempt 2, until 12:11:00.000Z
      │  │  └─ attempt 1: worker-1 had it at 12:00:06.000Z for 30s: it was not acknowledged before its deadline
      │  ├─ ✗ lost  skipped: the store of the log lost it before the group came to it
      │  ├─ ✗ sought  skipped: the group was moved past it
      │  ├─   unknown  has passed it; what became of it is not kept
      │  ├─ · unread  unread: the group has yet to come to it
      │  ├─ · waiting  waiting to be delivered again at 12:12:00.000Z, after attempt 1: out of memory
      │  ├─   before  began after it
      │  ├─   other  does not take this topic
      │  └─ 2 more that this token may not see
      ├─ no stream is open now
      └─ no event followed from it
      what to do: mend the cause, then: swarm dead redrive dead --all
                  wait until waiting delivers it again, or see what its members do: swarm groups get waiting
                  see whether unread is paused, or has no member: swarm groups get unread
                  lost did not get it before it was removed; publish it again if it still matters
                  sought was moved past it; to deliver it, move sought back: swarm groups seek sought
                  ask a member of unknown: no record is kept of what it did with the event
                  wait for worker-1, which works on it"
    `);
  });

  test('shows every state of a stream', () => {
    const stream = (state: EventTrace['streams']['list'][number]['state']) => ({
      ...{ replica: 'r', caller: `/agents/default/${state.replaceAll('_', '-')}`, since: '1-1', topics: ['build.*'] },
      state,
    });
    const list = [
      stream('passed'),
      stream('behind'),
      stream('began_later'),
      stream('not_matching'),
      stream('not_allowed'),
    ];
    expect(drawn(trace({ streams: { asOf: '2026-03-01T12:09:59.000Z', omitted: 3, list } }))).toMatchInlineSnapshot(`
      "build.requested
      ├─ id 0190f1d2-0000-7000-8000-000000000005
      ├─ from /agents/default/ada
      ├─ at 1-5, appended 12:00:05.000Z
      ├─ data {"n":5}
      ├─ ✓ admitted by the rule build.> of policy version 3
      ├─ no group exists
      ├─ streams that are open now, as of 12:09:59.000Z
      │  ├─ ✓ passed  has had it  (build.*)
      │  ├─ · behind  has yet to come to it  (build.*)
      │  ├─   began-later  began after it  (build.*)
      │  ├─   not-matching  asks for other topics  (build.*)
      │  ├─ ✗ not-allowed  may not receive this topic  (build.*)
      │  └─ 3 more that are not shown
      └─ no event followed from it
      what to do: nothing: every group and stream of this topic has received it"
    `);
  });

  test('shows what led to it above, the farthest first, and what followed below', () => {
    const causes = [
      logged(4, 'plan.created', '/agents/default/architect'),
      logged(3, 'goal.submitted', '/operators/eve'),
    ];
    const effects = [logged(6, 'build.finished', '/agents/default/builder-1'), logged(7, 'system.note', '/core')];
    expect(drawn(trace({ causes, effects, effectsComplete: false, duplicates: 2 }))).toMatchInlineSnapshot(`
      "caused by
        goal.submitted  operator eve  12:00:03.000Z  0190f1d2-0000-7000-8000-000000000003 →
        plan.created  architect  12:00:04.000Z  0190f1d2-0000-7000-8000-000000000004 →
      build.requested  <- this event
      ├─ id 0190f1d2-0000-7000-8000-000000000005
      ├─ from /agents/default/ada
      ├─ at 1-5, appended 12:00:05.000Z
      ├─ data {"n":5}
      ├─ ✓ admitted by the rule build.> of policy version 3
      ├─ published again 2 times; the repetitions added nothing
      ├─ no group exists
      ├─ no stream is open now
      └─ 2 events followed from it, and perhaps more: the log was searched in part
         ├─ build.finished  builder-1  12:00:06.000Z  0190f1d2-0000-7000-8000-000000000006
         └─ system.note  core  12:00:07.000Z  0190f1d2-0000-7000-8000-000000000007
      what to do: no group and no stream takes build.requested: check its name, and who listens: swarm events preview build.requested"
    `);
  });

  test('shows an event that only groups hold, and that no policy limits', () => {
    const given = trace({
      kept: false,
      admittedBy: { source: '/operators/eve', rule: null, policyVersion: null },
      groups: [fate('builders', 'in_flight', DELIVERED)],
    });
    expect(drawn(given)).toMatchInlineSnapshot(`
      "build.requested
      ├─ id 0190f1d2-0000-7000-8000-000000000005
      ├─ from /agents/default/ada
      ├─ at 1-5, appended 12:00:05.000Z
      ├─ data {"n":5}
      ├─ ✓ admitted: no policy limits operator eve
      ├─ the log has removed it; what follows is what groups still hold
      ├─ groups
      │  └─ → builders  in flight: worker-1 has it since 12:00:06.000Z, attempt 1
      ├─ no stream is open now
      └─ no event followed from it
      what to do: wait for worker-1, which works on it"
    `);
    expect(drawn(trace({ admittedBy: null }))).toContain('by which rule is not kept');
  });

  test('shortens long data', () => {
    const event = logged(5, 'build.requested');
    const data = 'x'.repeat(10_000);
    const text = drawn(trace({ event: { ...event, event: { ...event.event, data } } }));
    expect(text.length).toBeLessThan(1_000);
  });
});

describe('what to do', () => {
  const passed = {
    ...{ replica: 'r', caller: '/agents/default/eve', since: '1-1', topics: ['build.*'] },
    state: 'passed' as const,
  };
  const streams = (state: EventTrace['streams']['list'][number]['state']) => ({
    ...{ asOf: '2026-03-01T12:09:59.000Z', omitted: 0 },
    list: [{ ...passed, state }],
  });
  test.each<[string, Partial<EventTrace>, string]>([
    ['a dead letter', { groups: [fate('g', 'dead')] }, 'swarm dead redrive g --all'],
    ['one that waits', { groups: [fate('g', 'waiting', { dueAt: '2026-03-01T12:12:00.000Z' })] }, 'swarm groups get g'],
    ['one that is unread', { groups: [fate('g', 'unread')] }, 'paused, or has no member: swarm groups get g'],
    ['one that a seek has passed', { groups: [fate('g', 'skipped', { reason: 'seek' })] }, 'swarm groups seek g'],
    ['one in flight', { groups: [fate('g', 'in_flight', DELIVERED)] }, 'wait for worker-1'],
    ['one that is acknowledged', { groups: [fate('g', 'acked')] }, 'nothing'],
    ['one that a stream has had', { streams: streams('passed') }, 'nothing'],
    [
      'one that a stream may not have',
      { streams: streams('not_allowed') },
      'swarm policy explain eve subscribe build.requested',
    ],
    ['one that nobody takes', {}, 'swarm events preview build.requested'],
    ['one that others may take', { otherGroups: 1 }, 'ask an operator'],
  ])('about %s is said in the last line', (_label, more, expected) => {
    expect(lastLine(trace(more))).toContain(expected);
  });
});
