// A subscription of the core that outlives its connections: each is resumed at the id of the last value.
//
//   opening ──> reading ──> opening …       after a wait: exponential backoff with full jitter (see backoff.ts), counted
//      │           │                        anew after each value; at least what the refusal asks for (retryAfterMs)
//      └───────────┴──> ended               the reader stops, `signal` or the client's close ends it, `event: return`
//                  └──> thrown              a refusal that no retry can help
//
// With `right`, ACL_DENIED is waited out: the stream is opened again after a longer wait, where it was.
import { SwarmError } from '@hypercode/contracts';
import { deniedDelay, retryDelay } from './backoff.ts';
import { abortError, bounded, linkSignals } from './bounded.ts';
import { sleep } from '@hypercode/clock';
import type { Connection } from './connection.ts';
import type { Right } from './denials.ts';
import { jsonText } from './exact-json.ts';
import { type LiveStream, openLiveStream } from './live-stream.ts';
import { unreadable } from './refusal.ts';

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
  /** Of a handler, which stays when the policy denies it. Without it, the reader gets ACL_DENIED. */
  readonly right?: Right | undefined;
  /** See `LiveRequest`. */
  readonly resumesAfter: (id: string) => boolean;
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
  { path, input: given, decode, resumesAfter, right }: StreamRequest<T>,
  { signal, onInterruption, ended }: StreamOptions & { ended: AbortSignal },
): AsyncGenerator<StreamFrame<T>, undefined, undefined> {
  const { clock } = connection;
  const link = linkSignals([ended, signal, connection.closed]);
  const stop = link.signal;
  const whileOpen = <R>(work: () => Promise<R>): Promise<R> =>
    bounded(clock, { timeoutMs: Infinity, signals: [stop] }, work);
  let lastEventId: string | undefined;
  let failures = 0;
  let connections = 0;
  let stream: LiveStream | undefined;
  let token: string | undefined;
  try {
    while (!stop.aborted) {
      let outcome: Outcome<T>;
      try {
        if (stream === undefined) {
          token = await whileOpen(() => connection.token(stop));
          const input = jsonText(typeof given === 'function' ? (given as () => unknown)() : given);
          stream = await openLiveStream(connection, { path, input, token, lastEventId, resumesAfter, signal: stop });
          connections += 1;
        }
        outcome = await nextOutcome(stream, decode);
      } catch (error) {
        outcome = { lost: SwarmError.from(error) };
      }
      if (stop.aborted) break;
      if ('value' in outcome) {
        const { id, value } = outcome;
        failures = 0;
        connection.reachability.answered();
        right?.allowed();
        if (id !== undefined) lastEventId = id;
        if (value !== undefined) yield { id, value, connection: connections };
        continue;
      }
      const wasOpen = stream !== undefined;
      stream?.close();
      stream = undefined;
      if ('done' in outcome) return;
      const { lost } = outcome;
      let isDenied = false;
      const refused = lost.is('UNAUTHENTICATED') ? token : undefined;
      if (refused !== undefined) {
        const renewed = await whileOpen(() => connection.renewed(refused, stop)).catch(
          (error: unknown) => SwarmError.from(error).retryable,
        );
        if (!renewed && !stop.aborted) throw lost;
      } else if (lost.is('ACL_DENIED') && right !== undefined) {
        right.denied(lost);
        isDenied = true;
      } else if (!lost.retryable) throw lost;
      // The loss of an open stream may be a restart of the core, or of a proxy: whether it can be opened again decides.
      if (!wasOpen) connection.reachability.failed(lost);
      failures += 1;
      const delayMs = isDenied ? deniedDelay(failures, clock.random()) : retryDelay(lost, failures, clock.random());
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

async function nextOutcome<T>(stream: LiveStream, decode: (json: unknown) => T | undefined): Promise<Outcome<T>> {
  const next = await stream.next();
  if (next === null) return { done: true };
  try {
    return { id: next.id, value: decode(next.json) };
  } catch (cause) {
    return { lost: unreadable(cause) };
  }
}
