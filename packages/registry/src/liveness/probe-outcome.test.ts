// Every kind of probe, of every kind of agent.
import type { Activity } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import type { ProbeFailureKind } from '../probes/probe-failure.ts';
import { judgeProbe } from './probe-outcome.ts';

const ACTIVITIES: Activity[] = ['ready', 'busy', 'draining', 'paused'];
const KINDS: ProbeFailureKind[] = [
  'refused',
  'reset',
  'timeout',
  'dns',
  'tls',
  'status',
  'redirect',
  'too_large',
  'blocked',
  'invalid',
  'aborted',
];

describe('judgeProbe', () => {
  test('a probe that could not begin in its time is neither good nor bad, whatever the agent reports', () => {
    for (const activity of ACTIVITIES) {
      const result = { ok: false, kind: 'unprobed', reason: 'r', ms: 0 } as const;
      expect(judgeProbe(result, { activity, leaseLive: true })).toEqual({ outcome: 'unprobed', reason: 'r' });
    }
  });

  test('any good answer to a probe is a success', () => {
    for (const activity of ACTIVITIES) {
      for (const leaseLive of [true, false]) {
        const result = { ok: true, status: 204, ms: 1, activity: 'busy' } as const;
        expect(judgeProbe(result, { activity, leaseLive })).toEqual({ outcome: 'success', activity: 'busy' });
      }
    }
  });

  test('a bad probe fails an active agent, unless it is busy and slow; an aborted probe fails no agent', () => {
    const ignored = new Set<string>();
    for (const kind of KINDS) {
      for (const activity of ACTIVITIES) {
        for (const leaseLive of [true, false]) {
          const { outcome } = judgeProbe({ ok: false, kind, reason: 'r', ms: 1 }, { activity, leaseLive });
          if (outcome === 'ignored') ignored.add(`${kind} ${activity} ${leaseLive}`);
          else expect(outcome).toBe('failure');
        }
      }
    }
    const expected = KINDS.flatMap((kind) =>
      ACTIVITIES.flatMap((activity) =>
        [true, false]
          .filter(
            (leaseLive) =>
              kind === 'aborted' ||
              activity === 'draining' ||
              activity === 'paused' ||
              (kind === 'timeout' && activity === 'busy' && leaseLive),
          )
          .map((leaseLive) => `${kind} ${activity} ${leaseLive}`),
      ),
    );
    expect([...ignored].toSorted()).toEqual(expected.toSorted());
  });
});
