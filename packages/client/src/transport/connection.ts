// What every call and stream of one client shares: where the core is, who is calling, and whether the client is open.
import { invalidField, SwarmError } from '@hypercode/contracts';
import { openTransport } from '#transport';
import { bounded, isTimeout } from './bounded.ts';
import { clockDifference } from './clock-difference.ts';
import { type Clock, systemClock } from '@hypercode/clock';
import { isRecord, parseJson } from './json.ts';
import { refusalOf, unreachable } from './refusal.ts';
import { fetchTransport, type PostAnswer, type Transport } from './transport.ts';

/**
 * A token, or a function that gives one. The function is asked for each request; when the core answered
 * UNAUTHENTICATED it is asked once more with the `refused` token, and a different answer repeats the request. `signal` is
 * aborted when no call waits for the answer any more.
 */
export type TokenSource = string | ((refused: string | undefined, signal: AbortSignal) => string | Promise<string>);

/** The bounds of what `publish` holds, and what happens at them. */
export interface PublishBuffer {
  /** Default 10,000. */
  readonly maxEvents?: number | undefined;
  /** Bytes of JSON. Default 64 MiB. */
  readonly maxBytes?: number | undefined;
  /**
   * What `publish` does when the buffer is full: `wait` for room, in the order of the calls, or `reject` at once with
   * RATE_LIMITED. Default `wait`.
   */
  readonly whenFull?: 'wait' | 'reject' | undefined;
}

export interface SwarmClientOptions {
  /** Where the core listens, such as `http://127.0.0.1:7700`; a path in front of its routes is kept. */
  readonly url: string | URL;
  readonly token: TokenSource;
  /** Added to every input that names no namespace. Default: the core's (`default`). */
  readonly namespace?: string | undefined;
  /** For all requests. Default: the global `fetch`, and in Node.js `node:http` for streams and for the calls that are made most. */
  readonly fetch?: typeof fetch | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long a call may take, in milliseconds; Infinity for no limit. Default 10,000. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long `publish` goes on trying, in milliseconds. Default 30,000. Beyond the core's deduplication window
   * (`SWARM_DEDUP_WINDOW_MS`, ten minutes), an event whose answer got lost may be published twice.
   */
  readonly publishTimeoutMs?: number | undefined;
  /** What `publish` may hold before it is in the log. */
  readonly publishBuffer?: PublishBuffer | undefined;
  /**
   * What `publish` does while the agent's circuit is open: `pause`, and go on when it is closed again, for up to
   * `publishTimeoutMs`; or `reject` at once with CIRCUIT_OPEN. Default `pause`.
   */
  readonly whenCircuitOpen?: 'pause' | 'reject' | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_PUBLISH_TIMEOUT_MS = 30_000;

export interface Connection {
  readonly clock: Clock;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  readonly publishTimeoutMs: number;
  readonly publishBuffer: PublishBuffer;
  readonly whenCircuitOpen: 'pause' | 'reject';
  /** Aborted by `close`, with its reason. */
  readonly closed: AbortSignal;
  readonly fetch: typeof fetch;
  /** For what may be repeated, and for streams. A call works until it has answered, also beyond `close`. */
  readonly transport: Transport;
  /** The address of a route of the core, such as `v1/agents`. */
  endpoint(route: string): URL;
  /** `signal` is aborted when no call waits for it any more. */
  token(signal: AbortSignal): Promise<string>;
  /** Whether there is a token other than the one that was refused. */
  renewed(refused: string, signal: AbortSignal): Promise<boolean>;
  headers(token: string): Record<string, string>;
  /**
   * Calls `listener` when a call is answered after others had timed out. The first of those was made at `sinceMs` (monotonic
   * clock): a connection that has brought nothing since then is dead. Returns the function that removes the listener.
   */
  readonly onRevival: (listener: (sinceMs: number) => void) => () => void;
  /** Notes a call that was made at `madeAtMs` and timed out, or was answered. */
  noteCall(madeAtMs: number, outcome: 'timeout' | 'answer'): void;
  /** Calls `listener` with each difference between this process' clock and the core's that `noteDate` finds. */
  readonly onClockDifference: (listener: (differenceMs: number) => void) => void;
  /** Notes the header `date` of an answer whose request was sent at `sentMs` (milliseconds since the epoch). */
  noteDate(date: string | null, sentMs: number): void;
  /** Ends every stream and call; the later ones are refused with `reason`. */
  close(reason: SwarmError): void;
}

export function openConnection(options: SwarmClientOptions, clock: Clock = systemClock): Connection {
  const base = baseUrl(options.url);
  const controller = new AbortController();
  const { token: source, namespace, timeoutMs = DEFAULT_TIMEOUT_MS, fetch: customFetch, headers } = options;
  const transport = customFetch === undefined ? openTransport() : fetchTransport(customFetch);
  const token = async (refused: string | undefined, signal: AbortSignal): Promise<string> => {
    if (typeof source === 'string') return source;
    try {
      return await source(refused, signal);
    } catch (error) {
      if (error instanceof SwarmError) throw error;
      throw new SwarmError('UNAVAILABLE', 'the token function failed', { cause: error });
    }
  };
  const differences = new Set<(differenceMs: number) => void>();
  const revivals = new Set<(sinceMs: number) => void>();
  /** Since a call was last answered: when the first call was made that timed out, and when the last time-out was. */
  let outage: { readonly sinceMs: number; readonly seenAtMs: number } | undefined;
  return {
    clock,
    namespace,
    timeoutMs,
    publishTimeoutMs: options.publishTimeoutMs ?? DEFAULT_PUBLISH_TIMEOUT_MS,
    publishBuffer: options.publishBuffer ?? {},
    whenCircuitOpen: options.whenCircuitOpen ?? 'pause',
    closed: controller.signal,
    fetch: customFetch ?? ((input, init) => globalThis.fetch(input, init)),
    transport,
    endpoint: (route) => new URL(route, base),
    token: (signal) => token(undefined, signal),
    renewed: async (refused, signal) => typeof source !== 'string' && (await token(refused, signal)) !== refused,
    headers: (bearer) => ({ ...headers, authorization: `Bearer ${bearer}` }),
    onRevival(listener) {
      revivals.add(listener);
      return () => void revivals.delete(listener);
    },
    noteCall(madeAtMs, outcome) {
      if (outcome === 'timeout') {
        outage = { sinceMs: Math.min(outage?.sinceMs ?? Infinity, madeAtMs), seenAtMs: clock.monotonicMs() };
        // An answer to an older call reports nothing about new connections.
      } else if (outage !== undefined && madeAtMs >= outage.seenAtMs) {
        const { sinceMs } = outage;
        outage = undefined;
        for (const listener of [...revivals]) listener(sinceMs);
      }
    },
    onClockDifference: (listener) => void differences.add(listener),
    noteDate(date, sentMs) {
      if (differences.size === 0) return;
      const differenceMs = clockDifference(date, { sentMs, receivedMs: clock.epochMs() });
      if (differenceMs !== null) for (const listener of differences) listener(differenceMs);
    },
    close(reason) {
      controller.abort(reason);
      transport.close();
    },
  };
}

function baseUrl(given: string | URL): URL {
  const url = URL.canParse(String(given)) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw invalidField('url', 'must be an http or https address');
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

export interface PostOptions {
  readonly token: string;
  readonly timeoutMs: number;
  /** Ends it. */
  readonly signals: readonly AbortSignal[];
}

/** POSTs a JSON text and gives the answer's JSON; everything else is thrown as a SwarmError. */
export function postJson(connection: Connection, url: URL, body: string, options: PostOptions): Promise<unknown> {
  const { timeoutMs, token, signals } = options;
  return bounded(connection.clock, { timeoutMs, signals }, async (signal) => {
    const madeAtMs = connection.clock.monotonicMs();
    let answer: PostAnswer;
    try {
      answer = await connection.transport.post({ url, headers: connection.headers(token), body, signal });
    } catch (cause) {
      if (isTimeout(signal)) connection.noteCall(madeAtMs, 'timeout');
      throw unreachable(cause);
    }
    connection.noteCall(madeAtMs, 'answer');
    const { status, text, retryAfter } = answer;
    const json = parseJson(text);
    if (status < 200 || status > 299 || json === undefined) throw refusalOf(status, json, retryAfter);
    return json;
  });
}

/**
 * How long the core may take to answer a call that is repeated, in milliseconds: its stores answer within two seconds, or are
 * reported as unavailable. To that comes the time for the body, on a line that takes 64 KiB a second.
 */
const ANSWER_LIMIT_MS = 5_000;
const BODY_BYTES_PER_MS = 64;

/**
 * How long one try of a call may take whose body has so many characters: less than a call may take as a whole, so that it is tried
 * again on a new connection; at most `timeoutMs`, and without a limit where that is Infinity.
 */
export const tryLimitMs = (bodyLength: number, timeoutMs: number): number =>
  timeoutMs === Infinity ? Infinity : Math.min(timeoutMs, ANSWER_LIMIT_MS + bodyLength / BODY_BYTES_PER_MS);

export interface HotCallOptions {
  readonly timeoutMs: number;
  /** Ends it. */
  readonly signals: readonly AbortSignal[];
}

/** The same as the client's caller, with a renewed token where the first one was refused. */
export function postHot(connection: Connection, url: URL, body: string, bounds: HotCallOptions): Promise<unknown> {
  return bounded(connection.clock, bounds, async (signal) => {
    const attempt = (token: string): Promise<unknown> =>
      postJson(connection, url, body, { token, timeoutMs: Infinity, signals: [signal] });
    const token = await connection.token(signal);
    try {
      return await attempt(token);
    } catch (thrown) {
      const refusal = SwarmError.from(thrown);
      if (!refusal.is('UNAUTHENTICATED') || !(await connection.renewed(token, signal))) throw refusal;
    }
    return attempt(await connection.token(signal));
  });
}

/** Calls a mutation of the core with the JSON text of its input; gives its output, or throws a SwarmError. */
export async function callMutation(
  connection: Connection,
  path: string,
  input: string,
  bounds: HotCallOptions,
): Promise<unknown> {
  const answer = await postHot(connection, connection.endpoint(`trpc/${path}`), input, bounds);
  const result = isRecord(answer) ? answer['result'] : undefined;
  if (!isRecord(result) || !('data' in result)) throw refusalOf(200, answer);
  return result['data'];
}
