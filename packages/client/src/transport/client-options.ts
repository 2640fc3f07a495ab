// The options of a client, and the check that refuses at once what can never work. No refusal shows a value: it may be a secret.
import { API_HEADER, invalidField, SESSION_HEADER } from '@hypercode/contracts';
import type { SwarmLogger } from './logger.ts';

/**
 * A token, or a function that gives one. The function is asked for each request; when the core answered
 * UNAUTHENTICATED it is asked once more with the `refused` token, and a different answer repeats the request. `signal` is
 * aborted when no call waits for the answer any more. White space around a token is left out, such as the line break at the end
 * of a file.
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
  /** For all requests; streams may use `webSocket` instead. Default: `node:http` in Node.js, and the global `fetch` elsewhere. */
  readonly fetch?: typeof fetch | undefined;
  /**
   * Whether all watches, subscriptions and consumers of the client share one WebSocket where requests go through a `fetch`: in
   * browsers, which have six connections to an address over HTTP/1.1, and with the option `fetch`. Each is a request of its own with
   * `false`, with `headers` (which a WebSocket does not send), and where no WebSocket can be opened. Default true.
   */
  readonly webSocket?: boolean | undefined;
  /** Sent with every request. The client sets `authorization` and the headers of the connection and the body itself. */
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
  /**
   * Receives what the client retries or does by itself and a caller would not see: that the core cannot be reached, and that it
   * answers again; what a handler threw. Default: warnings go to `console.warn`. `false`: nothing is logged.
   */
  readonly logger?: SwarmLogger | false | undefined;
}

/** Of a client in a page that core serves: in place of a token, the key of the session that the page has signed in to. */
export interface SessionClientOptions extends Omit<SwarmClientOptions, 'token'> {
  /**
   * The key, as `POST /v1/session` answered it, or a function that gives it, which is asked as `token` is. The browser adds the cookie
   * by itself, so `url` has the origin of the page. Queries are sent by POST, since browsers name the origin of each.
   */
  readonly session: TokenSource;
}

/** Who is calling, and whether it is a session. */
export function credentialsOf(options: SwarmClientOptions | SessionClientOptions): {
  readonly source: TokenSource;
  readonly isSession: boolean;
} {
  return 'session' in options
    ? { source: options.session, isSession: true }
    : { source: options.token, isSession: false };
}

/** @throws SwarmError INVALID_INPUT with the option that can never work. */
export function checkOptions(options: SwarmClientOptions | SessionClientOptions): void {
  const { source, isSession } = credentialsOf(options);
  const { timeoutMs, publishTimeoutMs, publishBuffer = {}, whenCircuitOpen, fetch, logger, webSocket } = options;
  baseUrl(options.url);
  const caller = isSession ? 'session' : 'token';
  if (isSession && 'token' in options) throw invalidField('session', 'must not be given together with token');
  if (typeof source === 'string') checkToken(source, caller);
  else if (typeof source !== 'function') throw invalidField(caller, 'required: a text, or a function that gives one');
  checkHeaders(options.headers ?? {});
  for (const [path, value] of Object.entries({
    timeoutMs,
    publishTimeoutMs,
    'publishBuffer.maxEvents': publishBuffer.maxEvents,
    'publishBuffer.maxBytes': publishBuffer.maxBytes,
  })) {
    if (value !== undefined && !(typeof value === 'number' && value > 0)) {
      throw invalidField(path, 'must be a number above 0');
    }
  }
  checkChoice('publishBuffer.whenFull', publishBuffer.whenFull, ['wait', 'reject']);
  checkChoice('whenCircuitOpen', whenCircuitOpen, ['pause', 'reject']);
  if (webSocket !== undefined && typeof webSocket !== 'boolean')
    throw invalidField('webSocket', 'must be true or false');
  if (fetch !== undefined && typeof fetch !== 'function') throw invalidField('fetch', 'must be a function');
  const isLogger = logger === undefined || logger === false || isLoggerLike(logger);
  if (!isLogger) throw invalidField('logger', 'must have the functions info and warn, or be false');
}

function checkChoice(path: string, value: unknown, choices: readonly string[]): void {
  if (value !== undefined && !choices.some((choice) => choice === value)) {
    throw invalidField(path, `must be ${choices.map((choice) => `"${choice}"`).join(' or ')}`);
  }
}

function isLoggerLike(logger: unknown): boolean {
  const { info, warn } = (logger ?? {}) as Partial<Record<keyof SwarmLogger, unknown>>;
  return typeof info === 'function' && typeof warn === 'function';
}

/** The address in front of all routes, with a slash at the end. */
export function baseUrl(given: string | URL): URL {
  if (given === '' || given == null) throw invalidField('url', 'required: the address of the core');
  const url = URL.canParse(String(given)) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw invalidField('url', 'must be an address that begins with http:// or https://');
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidField('url', 'must not contain a user name or a password; what the core asks for is the token');
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

/** The token as it is sent. RFC 6750, section 2.1, allows less; the core decides what is a token. */
export function checkToken(given: unknown, path: 'token' | 'session' = 'token'): string {
  if (typeof given !== 'string') throw invalidField(path, 'must be a text');
  const token = given.trim();
  if (token === '') throw invalidField(path, 'required: it is empty');
  if (!/^[\x21-\x7E]+$/.test(token)) {
    throw invalidField(path, 'must be one word of ASCII characters, without line breaks and spaces inside');
  }
  return token;
}

/** RFC 9110, section 5.6.2. */
const HEADER_NAME = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+$/;
/** RFC 9110, section 5.5, and what `fetch` and `node:http` send. */
const HEADER_VALUE = /^[\t\x20-\x7E\x80-\xFF]*$/;
/** What the client sets itself, and what belongs to the connection and not to the request. */
const OWN_HEADERS = new Set([
  'accept',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'keep-alive',
  'last-event-id',
  API_HEADER,
  SESSION_HEADER,
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** The headers with names in lower case, so that no header is sent twice. */
export function checkHeaders(given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    // A name that is none may be a value that was given in its place.
    if (!HEADER_NAME.test(name)) throw invalidField('headers', 'contains a name that no header can have');
    const key = name.toLowerCase();
    const path = `headers.${name}`;
    if (key === 'authorization') throw invalidField(path, 'is set by the client, from the option token');
    if (OWN_HEADERS.has(key)) throw invalidField(path, 'is set by the client');
    if (Object.hasOwn(headers, key)) throw invalidField(path, 'is given twice');
    if (typeof value !== 'string' || !HEADER_VALUE.test(value)) {
      throw invalidField(path, 'must be a text of one line, of characters up to U+00FF');
    }
    headers[key] = value;
  }
  return headers;
}
