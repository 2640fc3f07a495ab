// One server-sent event stream over fetch (https://html.spec.whatwg.org/multipage/server-sent-events.html), read at
// the pace of the reader.
import { SwarmError } from '@hypercode/contracts';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Clock } from '@hypercode/clock';
import { parseJson } from './json.ts';
import { onAbort } from './on-abort.ts';
import { refusalOf, unreachable } from './refusal.ts';

/** How long the core may take to answer and to send `connected`, in milliseconds. */
const OPENING_LIMIT_MS = 15_000;

/** More than the largest event that a core sends (a snapshot chunk of 500 agents of 64 KiB), in characters. */
const MAX_EVENT_LENGTH = 64 * 1024 * 1024;

export interface EventStream {
  /** The next event; null when the stream has ended. Throws UNAVAILABLE when it broke or fell silent. */
  next(): Promise<EventSourceMessage | null>;
  /** From now on, `next` throws after so many milliseconds in which nothing at all arrived; Infinity for no limit. */
  limitSilence(limitMs: number): void;
  close(): void;
}

export interface EventStreamOptions {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

export async function openEventStream(url: URL, options: EventStreamOptions): Promise<EventStream> {
  const { clock, signal } = options;
  const controller = new AbortController();
  const release = onAbort(signal, () => controller.abort());
  const close = (): void => {
    release();
    controller.abort();
  };

  let silenceLimitMs = OPENING_LIMIT_MS;
  /** Waits for something from the core, but not longer than the limit. */
  const arrived = async <T>(arrival: Promise<T>): Promise<T> => {
    let silent: SwarmError | undefined;
    const limitMs = silenceLimitMs;
    const cancel = Number.isFinite(limitMs)
      ? clock.schedule(limitMs, () => {
          silent = new SwarmError('UNAVAILABLE', `the core sent nothing for ${limitMs} ms`);
          controller.abort();
        })
      : undefined;
    try {
      return await arrival;
    } catch (cause) {
      throw silent ?? unreachable(cause);
    } finally {
      cancel?.();
    }
  };

  try {
    const response = await arrived(
      options.fetch(url, {
        headers: { ...options.headers, accept: 'text/event-stream' },
        cache: 'no-store',
        signal: controller.signal,
      }),
    );
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    if (response.status !== 200 || !isStream || response.body === null) {
      const body = parseJson(await arrived(response.text()));
      throw refusalOf(response.status, body, response.headers.get('retry-after'));
    }
    const reader = response.body.getReader();
    const messages: EventSourceMessage[] = [];
    let taken = 0;
    let overflow = false;
    const parser = createParser({
      maxBufferSize: MAX_EVENT_LENGTH,
      onEvent: (message) => void messages.push(message),
      onError: ({ type }) => void (overflow ||= type === 'max-buffer-size-exceeded'),
    });
    const decoder = new TextDecoder();
    return {
      async next() {
        while (taken === messages.length) {
          messages.length = taken = 0;
          const { done, value } = await arrived(reader.read());
          if (done) return null;
          parser.feed(decoder.decode(value, { stream: true }));
          if (overflow)
            throw new SwarmError('UNAVAILABLE', 'the stream contains an event that is larger than any event can be');
        }
        const message = messages[taken];
        taken += 1;
        return message ?? null;
      },
      limitSilence(limitMs) {
        silenceLimitMs = limitMs;
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
