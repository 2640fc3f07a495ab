// Plans: read, followed live, and retried.
import type { PlanEvent } from '@hypercode/contracts';
import type { Procedures } from '../calls/procedures.ts';
import type { Connection } from '../transport/connection.ts';
import { isRecord } from '../transport/json.ts';
import { onAbort } from '../transport/on-abort.ts';
import { endable, resumableStream, type StreamOptions } from '../transport/resumable-stream.ts';

export interface WatchPlansOptions extends StreamOptions {
  readonly namespace?: string | undefined;
  /** Only this plan. Default: all. */
  readonly planId?: string | undefined;
  /** Only plans with this status; one that no longer has it is sent once more. */
  readonly state?: 'planning' | 'running' | 'completed' | 'failed' | 'cancelled' | undefined;
}

export type PlanWatch = AsyncIterableIterator<PlanEvent, undefined, undefined>;

export type Plans = Procedures['plans'] & {
  /**
   * Each plan as it is, `synced`, then each plan that has changed, at most twice a second each. After a lost connection, and after a
   * `reset`, each plan comes again, and `synced`. Leaving the loop closes the connection; so do `signal` and the client's `close`,
   * which end the loop without an error. The loop throws a SwarmError that no retry can help, such as NOT_FOUND for a `planId`.
   */
  watch(options?: WatchPlansOptions): PlanWatch;
};

export const plansOn = (connection: Connection, procedures: Procedures['plans']): Plans => ({
  ...procedures,
  watch: (options = {}) => endable((ended) => watch(connection, options, ended)),
});

async function* watch(
  connection: Connection,
  { signal, onInterruption, ...filter }: WatchPlansOptions,
  ended: AbortSignal,
): AsyncGenerator<PlanEvent, undefined, undefined> {
  const input = { ...filter, namespace: filter.namespace ?? connection.namespace };
  // The core begins it anew.
  const request = { path: 'plans.watch', input, decode: readPlanEvent, resumesAfter: () => false };
  const frames = resumableStream(connection, request, { signal, onInterruption });
  const release = onAbort(ended, () => void frames.return?.());
  try {
    for await (const { value } of frames) yield value;
  } finally {
    release();
  }
}

/** Trusts the core for the inside of plans. */
function readPlanEvent(json: unknown): PlanEvent | undefined {
  if (!isRecord(json)) throw new TypeError('not an event of plans');
  switch (json['type']) {
    case 'plan':
      if (!isRecord(json['plan'])) throw new TypeError('an event of a plan without the plan');
      return json as PlanEvent;
    case 'synced':
    case 'reset':
      return json as PlanEvent;
    default:
      return undefined;
  }
}
