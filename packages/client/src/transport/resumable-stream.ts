// A subscription of the core that outlives its connections: tRPC's server-sent events, resumed by `Last-Event-ID`.
//
//   opening ──> reading ──> opening …       after a wait: exponential backoff with full jitter (see backoff.ts), counted
//      │           │                        anew after each value; at least what the refusal asks for (retryAfterMs)
//      └───────────┴──> ended               the reader stops, `signal` or the client's close ends it, `event: return`
//                  └──> thrown              a refusal that no retry can help
import { SwarmError } from '@hypercode/contracts';
import { retryDelay } from './backoff.ts';
import { abortError, bounded, linkSignals } from './bounded.ts';
import { sleep } from '@hypercode/clock';
import type { Connection } from './connection.ts';
import { type EventStream, openEventStream } from './event-stream.ts';
import { carriesEvents, jsonText, parseExact } from './exact-json.ts';
import { isRecord, parseJson } from './json.ts';

/** How long a stream may bring nothing at all, in milliseconds, unless the core gives another limit. The core sends a sign every 15 s. */
const SILENCE_LIMIT_MS = 40_000;

export interface StreamFrame<T> {
  /** The tracked id of the value, at which a lost stream is resumed. */
  readonly id: string | undefined;
  readonly value: T;
  /** Counts the connections that values came over, from 1: a new number means that the stream was resumed in between. */
  readonly connection: number;
}

export interface StreamRequest<T> {
  /** The procedure, such as `registry.watch`. */
  readonly path: string;
  /** A function is called for each connection. */
  readonly input: unknown;
  /** The value in a frame's JSON; undefined skips the frame. What it throws counts as a broken stream. */
  readonly decode: (json: unknown) => T | undefined;
}

export interface StreamOptions {
  /** Ends the stream, without an error. */
  readonly signal?: AbortSignal | undefined;
  /** Called each time that the stream is lost and will be resumed, with the reason and the wait. */
  readonly onInterruption?: ((error: SwarmError, retryInMs: number) => void) | undefined;
}

export function resumableStream<T>(
  connection: Connection,
  request: StreamRequest<T>,
  options: StreamOptions = {},
): AsyncIterableIterator<StreamFrame<T>, undefined, undefined> {
  return endable((ended) => read(connection, request, { ...options, ended }));
}

/** An async generator whose `return` ends it at once, also while a `next` is waiting. */
export function endable<T>(
  run: (ended: AbortSignal) => AsyncGenerator<T, undefined, undefined>,
): AsyncIterableIterator<T, undefined, undefined> {
  const end = new AbortController();
  const values = run(end.signal);
  return {
    next: () => values.next(),
    return: () => {
      end.abort();
      return values.return(undefined);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

async function* read<T>(
  connection: Connection,
  { path, input, decode }: StreamRequest<T>,
  { signal, onInterruption, ended }: StreamOptions & { ended: AbortSignal },
): AsyncGenerator<StreamFrame<T>, undefined, undefined> {
  const { clock } = connection;
  const parse = carriesEvents(path) ? parseExact : (text: string): unknown => JSON.parse(text);
  const url = connection.endpoint(`trpc/${path}`);
  const link = linkSignals([ended, signal, connection.closed]);
  const stop = link.signal;
  const whileOpen = <R>(work: () => Promise<R>): Promise<R> =>
    bounded(clock, { timeoutMs: Infinity, signals: [stop] }, work);
  let lastEventId: string | undefined;
  let failures = 0;
  let connections = 0;
  let stream: EventStream | undefined;
  let token: string | undefined;
  try {
    while (!stop.aborted) {
      let outcome: Outcome<T>;
      try {
        if (stream === undefined) {
          token = await whileOpen(() => connection.token(stop));
          const headers = connection.headers(token);
          if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
          url.searchParams.set('input', jsonText(typeof input === 'function' ? (input as () => unknown)() : input));
          stream = await openEventStream(connection, url, { headers, signal: stop });
          connections += 1;
        }
        outcome = await nextOutcome(connection, stream, (text) => decode(parse(text)));
      } catch (error) {
        outcome = { lost: SwarmError.from(error) };
      }
      if (stop.aborted) break;
      if ('value' in outcome) {
        const { id, value } = outcome;
        failures = 0;
        connection.reachability.answered();
        if (id !== undefined) lastEventId = id;
        if (value !== undefined) yield { id, value, connection: connections };
        continue;
      }
      const wasOpen = stream !== undefined;
      stream?.close();
      stream = undefined;
      if ('done' in outcome) return;
      const { lost } = outcome;
      const refused = lost.is('UNAUTHENTICATED') ? token : undefined;
      if (refused !== undefined) {
        const renewed = await whileOpen(() => connection.renewed(refused, stop)).catch(
          (error: unknown) => SwarmError.from(error).retryable,
        );
        if (!renewed && !stop.aborted) throw lost;
      } else if (!lost.retryable) throw lost;
      // The loss of an open stream may be a restart of the core, or of a proxy: whether it can be opened again decides.
      if (!wasOpen) connection.reachability.failed(lost);
      failures += 1;
      const delayMs = retryDelay(lost, failures, clock.random());
      onInterruption?.(lost, delayMs);
      await sleep(clock, delayMs, stop);
    }
    // A client that was closed because its agent is fenced must not look like a watch that has ended.
    if (connection.closed.aborted && !ended.aborted && !(signal?.aborted ?? false)) {
      const reason = abortError(connection.closed);
      if (!reason.retryable) throw reason;
    }
  } finally {
    stream?.close();
    link.unlink();
  }
}

type Outcome<T> =
  | { readonly id: string | undefined; readonly value: T | undefined }
  | { readonly lost: SwarmError }
  | { readonly done: true };

/** Reads on to the next value, or to the end of the stream. The names of the events are tRPC's. */
async function nextOutcome<T>(
  connection: Connection,
  stream: EventStream,
  decode: (text: string) => T | undefined,
): Promise<Outcome<T>> {
  for (;;) {
    const message = await stream.next();
    if (message === null) return { lost: new SwarmError('UNAVAILABLE', 'the core ended the stream') };
    switch (message.event) {
      case undefined:
      case 'message':
        try {
          const id = message.id === '' ? undefined : message.id;
          return { id, value: decode(message.data) };
        } catch (cause) {
          return {
            lost: new SwarmError('UNAVAILABLE', 'the stream contains data that cannot be read', {
              cause,
            }),
          };
        }
      case 'connected':
        stream.limitSilence(silenceLimit(parseJson(message.data)));
        break;
      case 'serialized-error': {
        const shape = parseJson(message.data);
        const data = isRecord(shape) ? shape['data'] : undefined;
        const status = isRecord(data) && typeof data['httpStatus'] === 'number' ? data['httpStatus'] : 500;
        return { lost: connection.refusalOf({ status }, shape) };
      }
      case 'return':
        return { done: true };
    }
  }
}

function silenceLimit(connected: unknown): number {
  const limit = isRecord(connected) ? connected['reconnectAfterInactivityMs'] : undefined;
  return typeof limit === 'number' && limit > 0 ? limit : SILENCE_LIMIT_MS;
}
