// Where attempts lie in the time of a plan.
import type { PlanView } from '@hypercode/client';

export interface Span {
  /** Of the whole width, from 0 to 1. */
  readonly from: number;
  readonly width: number;
}

export interface PlanSpan {
  readonly startMs: number;
  readonly endMs: number;
}

/** From the submission to the end; of a plan under way, to now. */
export function spanOf({ submittedAt, endedAt }: PlanView, nowMs: number): PlanSpan {
  const startMs = Date.parse(submittedAt);
  return { startMs, endMs: Math.max(startMs + 1, endedAt === null ? nowMs : Date.parse(endedAt)) };
}

/** Narrower than this a bar can't be seen. */
const MIN_WIDTH = 0.004;

/** Of an attempt. One whose beginning is not known has none. */
export function spanIn(
  { startMs, endMs }: PlanSpan,
  { assignedAt, endedAt }: { readonly assignedAt: string | null; readonly endedAt: string | null },
): Span | null {
  if (assignedAt === null) return null;
  const whole = endMs - startMs;
  const share = (time: number): number => Math.min(1, Math.max(0, (time - startMs) / whole));
  const from = Math.min(share(Date.parse(assignedAt)), 1 - MIN_WIDTH);
  const to = endedAt === null ? 1 : share(Date.parse(endedAt));
  return { from, width: Math.max(MIN_WIDTH, to - from) };
}
