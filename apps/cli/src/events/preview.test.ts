import type { PreviewResult } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { type Line, partsOf } from '../output/parts.ts';
import { previewLines } from './preview.ts';

const preview = (more: Partial<PreviewResult> = {}): PreviewResult => ({
  ...{ allowed: true, rule: null, circuit: null, because: 'because it is so', groups: [], otherGroups: 0, streams: 0 },
  ...{ silent: [], similar: [] },
  ...more,
});
const NOW = new Map([
  ['held', { paused: { by: '/operators/eve', at: '2026-03-01T12:00:00.000Z', reason: 'upgrade' }, members: 1 }],
  ['alone', { paused: null, members: 0 }],
]);
const drawn = (more: Partial<PreviewResult>): string =>
  previewLines('build.requested', preview(more), { groups: NOW, as: 'ada' })
    .map((line: Line) =>
      partsOf(line)
        .map((part) => (typeof part === 'string' ? part : part.text))
        .join(''),
    )
    .join('\n');

test('a preview shows who takes the topic', () => {
  expect(drawn({ rule: 'build.>', circuit: 'closed', groups: ['a', 'b'], otherGroups: 1, streams: 2 }))
    .toMatchInlineSnapshot(`
    "build.requested
    ├─ ✓ may be published by the rule build.>
    ├─ groups that take it
    │  ├─ ✓ a
    │  ├─ ✓ b
    │  └─ 1 more that this token may not see
    └─ ✓ 2 live streams receive it
    because: because it is so
    what to do: nothing: it would be received"
  `);
});

test('a preview shows why nobody takes it', () => {
  expect(drawn({ silent: ['ada'], similar: ['build.request'] })).toMatchInlineSnapshot(`
    "build.requested
    ├─ ✓ may be published
    ├─ no group takes it
    ├─ no live stream receives it
    ├─ agents that declare the topic and do not listen
    │  └─ ada
    └─ topics with a similar name
       └─ build.request
    because: because it is so
    what to do: start the consumer in ada, which declares the topic and does not listen"
  `);
});

test.each<[string, Partial<PreviewResult>, string]>([
  ['that is refused', { allowed: false, rule: 'build.secret' }, 'allow the topic in the policy'],
  ['of an open circuit', { allowed: false, circuit: 'open', rule: 'build.>' }, 'swarm circuit reset ada'],
  ['of an open circuit that is refused, too', { allowed: false, circuit: 'open' }, 'swarm policy apply'],
  ['that a paused group takes', { groups: ['held', 'b'] }, 'swarm groups resume held'],
  ['that a group without members takes', { groups: ['alone'] }, 'start a member of alone'],
  ['that is taken', { streams: 1 }, 'nothing'],
  ['that a silent agent declares', { silent: ['ada'] }, 'start the consumer in ada'],
  ['with a name that is nearly another', { similar: ['build.request'] }, 'did you mean build.request?'],
  ['that is unknown', {}, 'swarm listen --topics build.requested'],
])('of a topic %s, the last line says what to do', (_label, more, expected) => {
  expect(drawn(more).split('\n').at(-1)).toContain(expected);
});
