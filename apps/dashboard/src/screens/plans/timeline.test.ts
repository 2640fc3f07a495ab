import type { PlanView } from '@hypercode/client';
import { expect, test } from 'vitest';
import { spanIn, spanOf } from './timeline.ts';

const time = (seconds: number): string => new Date(Date.UTC(2026, 0, 1) + seconds * 1000).toISOString();
const plan = (endedAt: string | null) => ({ submittedAt: time(0), endedAt }) as PlanView;

test('an attempt lies where it ran between the beginning and the end of the plan', () => {
  const span = spanOf(plan(time(100)), Date.parse(time(500)));
  expect(spanIn(span, { assignedAt: time(25), endedAt: time(75) })).toEqual({ from: 0.25, width: 0.5 });
});

test('an attempt that runs reaches to now', () => {
  const span = spanOf(plan(null), Date.parse(time(40)));
  expect(spanIn(span, { assignedAt: time(10), endedAt: null })).toEqual({ from: 0.25, width: 0.75 });
});

test('an attempt without a known beginning has no place, and a short one can be seen', () => {
  const span = spanOf(plan(time(1000)), 0);
  expect(spanIn(span, { assignedAt: null, endedAt: time(5) })).toBeNull();
  expect(spanIn(span, { assignedAt: time(1000), endedAt: time(1000) })?.width).toBeGreaterThan(0);
});
