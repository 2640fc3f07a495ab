// Work that gives up: after a time, or when a signal is aborted.
import { SwarmError } from '@hypercode/contracts';
import type { Clock } from '@hypercode/clock';
import { onAbort } from './on-abort.ts';
import { asUnanswered } from './refusal.ts';

/** The SwarmError that an aborted signal stands for. */
export function abortError(signal: AbortSignal): SwarmError {
  const reason: unknown = signal.reason;
  return reason instanceof SwarmError
    ? reason
    : new SwarmError('UNAVAILABLE', 'aborted by the caller; the outcome is unknown', {
        cause: reason,
      });
}

/** Whether it was aborted because the time was up. */
export function isTimeout({ reason }: AbortSignal): boolean {
  const cause: unknown = reason instanceof SwarmError ? reason.cause : reason;
  return cause instanceof DOMException && cause.name === 'TimeoutError';
}

function timeoutError(timeoutMs: number): SwarmError {
  const message = `no answer within ${timeoutMs} ms; the outcome is unknown`;
  // Named as that of `AbortSignal.timeout`.
  return asUnanswered(new SwarmError('UNAVAILABLE', message, { cause: new DOMException(message, 'TimeoutError') }));
}

export interface LinkedSignal {
  /** Aborted as soon as one of the linked signals is, with its reason. */
  readonly signal: AbortSignal;
  abort(reason: SwarmError): void;
  /** Stops listening to the linked signals. */
  unlink(): void;
}

/** `AbortSignal.any` that can be released from long-lived signals. */
export function linkSignals(sources: readonly (AbortSignal | undefined)[]): LinkedSignal {
  const controller = new AbortController();
  const links = sources
    .filter((source) => source !== undefined)
    .map((source) => onAbort(source, () => controller.abort(abortError(source))));
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    unlink() {
      for (const release of links) release();
    },
  };
}

export interface Bounds {
  readonly timeoutMs: number;
  readonly signals: readonly (AbortSignal | undefined)[];
}

/**
 * Runs `work` and settles with it, or rejects with UNAVAILABLE at once when the time is up or a signal is aborted,
 * whether `work` heeds its signal or not.
 */
export function bounded<T>(
  clock: Clock,
  { timeoutMs, signals }: Bounds,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const link = linkSignals(signals);
    const { signal } = link;
    if (signal.aborted) {
      link.unlink();
      return reject(abortError(signal));
    }
    const cancelTimer = Number.isFinite(timeoutMs)
      ? clock.schedule(timeoutMs, () => link.abort(timeoutError(timeoutMs)))
      : undefined;
    const release = (): void => {
      cancelTimer?.();
      link.unlink();
    };
    signal.addEventListener('abort', () => {
      release();
      reject(abortError(signal));
    });
    work(signal).then(resolve, reject).finally(release);
  });
}
