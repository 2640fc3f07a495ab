// Long work in slices, between which the page draws and answers: a generator yields where it may pause.
import { type Clock, systemClock } from '@hypercode/clock';

/** Work on a list yields often enough, and not so often that this is what takes the time. */
export const STEPS_IN_A_ROW = 512;

export type SlicedWork<T> = Generator<undefined, T, undefined>;

interface SliceOptions {
  /** Gives the work up at its next pause. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** How long a slice may take, in milliseconds: half of a frame. */
const SLICE_MS = 8;

/**
 * Runs the work, and pauses it each time that it has taken a slice. Short work is done before this returns. Gives undefined when `signal`
 * was aborted.
 */
export async function inSlices<T>(
  work: SlicedWork<T>,
  { signal, clock = systemClock }: SliceOptions = {},
): Promise<T | undefined> {
  let end = clock.monotonicMs() + SLICE_MS;
  for (;;) {
    if (signal?.aborted === true) return undefined;
    const step = work.next();
    if (step.done === true) return step.value;
    if (clock.monotonicMs() < end) continue;
    await pause();
    end = clock.monotonicMs() + SLICE_MS;
  }
}

/** The same without a pause. */
export function atOnce<T>(work: SlicedWork<T>): T {
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

interface Yielding {
  readonly scheduler?: { yield?(): Promise<void> };
}

/** Lets the page do what waits, such as input and drawing, and then goes on before other work (Prioritized Task Scheduling, WICG). */
function pause(): Promise<void> {
  const { scheduler } = globalThis as Yielding;
  if (scheduler?.yield !== undefined) return scheduler.yield();
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    const resume = (): void => {
      port1.close();
      resolve();
    };
    port1.addEventListener('message', resume, { once: true });
    port1.start();
    port2.postMessage(null);
  });
}

/** In order, as `toSorted` has it: what is equal stays as it was. */
export function* sortedInSlices<T>(items: readonly T[], order: (a: T, b: T) => number): SlicedWork<readonly T[]> {
  let runs: (readonly T[])[] = [];
  for (let from = 0; from < items.length; from += STEPS_IN_A_ROW) {
    runs.push(items.slice(from, from + STEPS_IN_A_ROW).toSorted(order));
    yield;
  }
  while (runs.length > 1) {
    const merged: (readonly T[])[] = [];
    for (let at = 0; at < runs.length; at += 2) {
      merged.push(yield* mergedInSlices(runs[at] ?? [], runs[at + 1] ?? [], order));
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergedInSlices<T>(
  first: readonly T[],
  second: readonly T[],
  order: (a: T, b: T) => number,
): SlicedWork<readonly T[]> {
  const merged: T[] = [];
  let at = 0;
  for (const item of first) {
    for (let other = second[at]; at < second.length && order(item, other as T) > 0; other = second[at]) {
      merged.push(other as T);
      at += 1;
    }
    merged.push(item);
    if (merged.length % STEPS_IN_A_ROW === 0) yield;
  }
  return at === second.length ? merged : merged.concat(second.slice(at));
}
