// Plans as server-sent events, as the core sends them: each as it is, `synced`, then each that has changed.
import { type Clock, sleep } from '@hypercode/clock';
import type { PlanEvent } from '@hypercode/contracts';
import { type PlanFilter, PlanWatch, viewOf } from '@hypercode/plans';
import type { ServerResponse } from 'node:http';
import type { Follower } from '../conducting/follower.ts';

/** How often a stream without changes carries a sign of life, in milliseconds. */
const SIGN_MS = 15_000;

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
  connection: 'close',
} as const;

export interface PlanStream {
  readonly follower: Follower;
  readonly filter: PlanFilter;
  readonly clock: Clock;
  /** The Architect stops. */
  readonly stopping: AbortSignal;
}

/** Ends when the connection closes or the Architect stops. Nothing is made before the connection has taken what was made before. */
export async function writePlans(
  response: ServerResponse,
  { follower, filter, clock, stopping }: PlanStream,
): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const ended = AbortSignal.any([gone.signal, stopping]);
  const watch = new PlanWatch(filter);
  let woken = new AbortController();
  const forget = follower.onChange((planId) => {
    watch.changed(planId, clock.monotonicMs());
    woken.abort();
  });
  const send = async (text: string): Promise<void> => {
    if (response.write(text)) return;
    const drained = new AbortController();
    response.once('drain', () => drained.abort());
    await sleep(clock, SIGN_MS * 2, AbortSignal.any([drained.signal, ended]));
    // A connection that takes nothing does not hold the views of plans.
    if (!drained.signal.aborted) response.destroy();
  };
  response.writeHead(200, HEADERS);
  response.write(': connected\n\n');
  try {
    watch.begin(follower.ledger.plans, clock.monotonicMs());
    while (!ended.aborted) {
      woken = new AbortController();
      const next = watch.next(follower.ledger.plans, clock.monotonicMs());
      if (next !== null) {
        await send(frameOf(next === 'synced' ? { type: 'synced' } : { type: 'plan', plan: viewOf(next) }));
        continue;
      }
      const delayMs = Math.min(SIGN_MS, Math.max(0, watch.nextAt - clock.monotonicMs()));
      await sleep(clock, delayMs, AbortSignal.any([woken.signal, ended]));
      if (delayMs === SIGN_MS && !woken.signal.aborted && !ended.aborted) await send(': still here\n\n');
    }
  } finally {
    forget();
    response.end();
  }
}

const frameOf = (event: PlanEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
