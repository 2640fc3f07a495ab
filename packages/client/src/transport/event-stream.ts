// One server-sent event stream (https://html.spec.whatwg.org/multipage/server-sent-events.html), read at
// the pace of the reader.
import { SwarmError } from '@hypercode/contracts';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Connection } from './connection.ts';
import { parseJson } from './json.ts';
import { onAbort } from './on-abort.ts';
import { asUnanswered } from './refusal.ts';

/** How long the core may take to answer and to send `connected`, in milliseconds. It does both before it looks at the request. */
const OPENING_LIMIT_MS = 5_000;

/** More than the largest event that any core sends, in characters: 500 agents of 64 KiB in one chunk of a snapshot. */
const MAX_EVENT_LENGTH = 64 * 1024 * 1024;

/** More than any refusal of a core, in characters: something else answers with pages without an end. */
const MAX_REFUSAL_LENGTH = 1024 * 1024;

export interface EventStream {
  /** The next event; null when the stream has ended. Throws UNAVAILABLE when it broke or fell silent. */
  next(): Promise<EventSourceMessage | null>;
  /** From now on, `next` throws after so many milliseconds in which nothing at all arrived; Infinity for no limit. */
  limitSilence(limitMs: number): void;
  close(): void;
}

export interface EventStreamOptions {
  /** A JSON text, sent by POST. */
  readonly body: string | undefined;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

export async function openEventStream(
  connection: Connection,
  url: URL,
  { headers, body, signal }: EventStreamOptions,
): Promise<EventStream> {
  const { clock, transport } = connection;
  const sentMs = clock.epochMs();
  const controller = new AbortController();
  let silent: SwarmError | undefined;
  let arrivedAtMs = clock.monotonicMs();
  const releases = [
    onAbort(signal, () => controller.abort()),
    connection.onRevival((sinceMs) => {
      if (arrivedAtMs >= sinceMs) return;
      silent = new SwarmError('UNAVAILABLE', 'the core answers on new connections, and has sent nothing on this one');
      controller.abort();
    }),
  ];
  const close = (): void => {
    for (const release of releases) release();
    controller.abort();
  };

  let silenceLimitMs = OPENING_LIMIT_MS;
  /** Waits for something from the core, but not longer than the limit. */
  const arrived = async <T>(arrival: Promise<T>): Promise<T> => {
    const limitMs = silenceLimitMs;
    const cancel = Number.isFinite(limitMs)
      ? clock.schedule(limitMs, () => {
          silent = asUnanswered(new SwarmError('UNAVAILABLE', `the core sent nothing for ${limitMs} ms`));
          controller.abort();
        })
      : undefined;
    try {
      const value = await arrival;
      arrivedAtMs = clock.monotonicMs();
      return value;
    } catch (cause) {
      throw silent ?? connection.unreachable(cause);
    } finally {
      cancel?.();
    }
  };

  try {
    const response = await arrived(
      transport.open({ url, headers: { ...headers, accept: 'text/event-stream' }, body, signal: controller.signal }),
    );
    connection.noteHead(response, sentMs);
    const decoder = new TextDecoder();
    const isStream = response.contentType?.startsWith('text/event-stream') ?? false;
    if (response.status !== 200 || !isStream) {
      let text = '';
      for (let bytes = await arrived(response.read()); bytes !== null; bytes = await arrived(response.read())) {
        text += decoder.decode(bytes, { stream: true });
        if (text.length > MAX_REFUSAL_LENGTH) break;
      }
      throw connection.refusalOf({ ...response, url }, parseJson(text));
    }
    const messages: EventSourceMessage[] = [];
    let taken = 0;
    let overflow = false;
    const parser = createParser({
      maxBufferSize: MAX_EVENT_LENGTH,
      onEvent: (message) => void messages.push(message),
      onError: ({ type }) => void (overflow ||= type === 'max-buffer-size-exceeded'),
    });
    return {
      async next() {
        while (taken === messages.length) {
          messages.length = taken = 0;
          const bytes = await arrived(response.read());
          if (bytes === null) return null;
          parser.feed(decoder.decode(bytes, { stream: true }));
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
