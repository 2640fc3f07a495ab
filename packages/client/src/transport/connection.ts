// What every call and stream of one client shares: where the core is, who is calling, and whether the client is open.
import { API_HEADER, API_VERSION, SESSION_HEADER, SESSION_PARAMETER, SwarmError } from '@hypercode/contracts';
import { openTransport } from '#transport';
import { abortError, bounded, isTimeout } from './bounded.ts';
import { clockDifference } from './clock-difference.ts';
import { type Clock, systemClock } from '@hypercode/clock';
import {
  baseUrl,
  checkHeaders,
  checkOptions,
  checkToken,
  credentialsOf,
  type PublishBuffer,
  type SessionClientOptions,
  type SwarmClientOptions,
} from './client-options.ts';
import { Denials } from './denials.ts';
import { ignoredNamesLog } from './ignored-names.ts';
import { isRecord, parseJson } from './json.ts';
import { loggerOf, type SwarmLogger } from './logger.ts';
import { Reachability } from './reachability.ts';
import { addressOf, type AnswerTo, isUnanswered, refusalOf, unreachable } from './refusal.ts';
import { type AnswerHead, fetchTransport, type Transport, type WholeAnswer } from './transport.ts';

const DEFAULT_TIMEOUT_MS = 10_000;
const DEFAULT_PUBLISH_TIMEOUT_MS = 30_000;

export interface Connection {
  readonly clock: Clock;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  readonly publishTimeoutMs: number;
  readonly publishBuffer: PublishBuffer;
  readonly whenCircuitOpen: 'pause' | 'reject';
  /** Whether what is published while an event is handled names that event. */
  readonly correlate: boolean;
  /** Aborted by `close`, with its reason. */
  readonly closed: AbortSignal;
  readonly logger: SwarmLogger;
  /** Whether the core answers, for the log. Connections of one agent share it. */
  readonly reachability: Reachability;
  /** What the policy denies to handlers. */
  readonly denials: Denials;
  /** Logs what the core has ignored, from the header that lists it. Connections of one agent share it. */
  readonly noteIgnored: (header: string) => void;
  /** A call works until it has answered, also beyond `close`. */
  readonly transport: Transport;
  /** Whether the caller is a session, whose key then is what is called the token here. */
  readonly isSession: boolean;
  /** The address of a route of the core, such as `v1/agents`. */
  endpoint(route: string): URL;
  /** `signal` is aborted when no call waits for it any more. */
  token(signal: AbortSignal): Promise<string>;
  /** Whether there is a token other than the one that was refused. */
  renewed(refused: string, signal: AbortSignal): Promise<boolean>;
  headers(token: string): Record<string, string>;
  /** What a WebSocket sends in place of headers. */
  connectionParams(token: string): Record<string, string>;
  /** The refusal that an answer stands for which is no result. */
  refusalOf(answer: AnswerTo, body: unknown): SwarmError;
  /** The error of a request that was not answered, or not whole. */
  unreachable(cause: unknown): SwarmError<'UNAVAILABLE'>;
  /**
   * Calls `listener` when a call is answered after others had timed out. The first of those was made at `sinceMs` (monotonic
   * clock): a connection that has brought nothing since then is dead. Returns the function that removes the listener.
   */
  readonly onRevival: (listener: (sinceMs: number) => void) => () => void;
  /** Notes a call that was made at `madeAtMs` and timed out, or was answered. */
  noteCall(madeAtMs: number, outcome: 'timeout' | 'answer'): void;
  /** Calls `listener` with each difference between this process' clock and the core's that `noteHead` finds. */
  readonly onClockDifference: (listener: (differenceMs: number) => void) => void;
  /** Notes what the head of an answer says of the core. The request was sent at `sentMs` (milliseconds since the epoch). */
  noteHead(head: Pick<AnswerHead, 'date' | 'ignored'>, sentMs: number): void;
  /** Ends every stream and call; the later ones are refused with `reason`. */
  close(reason: SwarmError): void;
}

/** Secrets that are shorter stand in too many words by chance. */
const MIN_SECRET_LENGTH = 8;

/** @throws SwarmError INVALID_INPUT with the option that can never work. */
export function openConnection(
  options: SwarmClientOptions | SessionClientOptions,
  clock: Clock = systemClock,
  shared: Partial<Pick<Connection, 'reachability' | 'noteIgnored'>> = {},
): Connection {
  checkOptions(options);
  const base = baseUrl(options.url);
  const headers = checkHeaders(options.headers ?? {});
  const logger = loggerOf(options.logger);
  const { reachability = new Reachability(addressOf(base), clock, logger) } = shared;
  const { noteIgnored = ignoredNamesLog(addressOf(base), logger) } = shared;
  const controller = new AbortController();
  const { namespace, timeoutMs = DEFAULT_TIMEOUT_MS, fetch: customFetch } = options;
  const { source: given, isSession } = credentialsOf(options);
  const kind = isSession ? 'session' : 'token';
  const source = typeof given === 'string' ? checkToken(given, kind) : given;
  // A WebSocket of a browser sends no headers but its own.
  const webSocket = (options.webSocket ?? true) && Object.keys(headers).length === 0;
  const transport =
    customFetch === undefined ? openTransport({ webSocket }) : fetchTransport(customFetch, { webSocket });
  /** The token that was sent last. */
  let sent = '';
  const token = async (refused: string | undefined, signal: AbortSignal): Promise<string> => {
    if (typeof source === 'string') return source;
    let answer: unknown;
    try {
      answer = await source(refused, signal);
    } catch (error) {
      if (error instanceof SwarmError) throw error;
      throw new SwarmError('UNAVAILABLE', `the ${kind} function failed`, { cause: error });
    }
    return checkToken(answer, kind);
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
    correlate: options.correlate ?? true,
    closed: controller.signal,
    logger,
    reachability,
    denials: new Denials(logger),
    noteIgnored,
    transport,
    isSession,
    endpoint: (route) => new URL(route, base),
    token: (signal) => token(undefined, signal),
    renewed: async (refused, signal) => typeof source !== 'string' && (await token(refused, signal)) !== refused,
    headers(bearer) {
      sent = bearer;
      const caller = isSession ? { [SESSION_HEADER]: bearer } : { authorization: `Bearer ${bearer}` };
      return { ...headers, [API_HEADER]: String(API_VERSION), ...caller };
    },
    connectionParams: (bearer) => ({
      [isSession ? SESSION_PARAMETER : 'token']: bearer,
      [API_HEADER]: String(API_VERSION),
    }),
    refusalOf: (answer, body) => refusalOf(answer, body, base),
    unreachable(cause) {
      const secrets = [sent, ...Object.values(headers)].filter(({ length }) => length >= MIN_SECRET_LENGTH);
      return unreachable(cause, base, secrets);
    },
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
    noteHead({ date, ignored }, sentMs) {
      if (ignored !== null) noteIgnored(ignored);
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

export interface PostOptions {
  readonly token: string;
  readonly timeoutMs: number;
  /** Ends it. */
  readonly signals: readonly AbortSignal[];
}

/** POSTs a JSON text that may be taken twice, and gives the answer's JSON; everything else is thrown as a SwarmError. */
export function postJson(connection: Connection, url: URL, body: string, options: PostOptions): Promise<unknown> {
  const { timeoutMs, token, signals } = options;
  const { reachability } = connection;
  return bounded(connection.clock, { timeoutMs, signals }, async (signal) => {
    const madeAtMs = connection.clock.monotonicMs();
    const sentMs = connection.clock.epochMs();
    let answer: WholeAnswer;
    try {
      const headers = connection.headers(token);
      answer = await connection.transport.send({ method: 'POST', url, headers, body, signal, isRepeatable: true });
      connection.noteHead(answer, sentMs);
    } catch (cause) {
      const error = connection.unreachable(cause);
      if (isTimeout(signal)) {
        connection.noteCall(madeAtMs, 'timeout');
        reachability.failed(abortError(signal));
      } else if (!signal.aborted) reachability.failed(error);
      throw error;
    }
    connection.noteCall(madeAtMs, 'answer');
    const { status, text } = answer;
    const json = parseJson(text);
    if (status >= 200 && status <= 299 && json !== undefined) {
      reachability.answered();
      return json;
    }
    const refusal = connection.refusalOf({ ...answer, url }, json);
    if (isUnanswered(refusal)) reachability.failed(refusal);
    else reachability.answered();
    throw refusal;
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
  if (!isRecord(result) || !('data' in result)) throw connection.refusalOf({ status: 200 }, answer);
  return result['data'];
}
