// What every call and stream of one client shares: where the core is, who is calling, and whether the client is open.
import { SwarmError } from '@hypercode/contracts';
import { bounded } from './bounded.ts';
import { type Clock, systemClock } from './clock.ts';
import { parseJson } from './json.ts';
import { refusalOf, unreachable } from './refusal.ts';

/**
 * A token, or a function that gives one. The function is asked for each request; when the core answered
 * UNAUTHENTICATED it is asked once more with the `refused` token, and a different answer repeats the request.
 */
export type TokenSource = string | ((refused?: string) => string | Promise<string>);

export interface SwarmClientOptions {
  /** Where the core listens, such as `http://127.0.0.1:7700`; a path in front of its routes is kept. */
  readonly url: string | URL;
  readonly token: TokenSource;
  /** Added to every input that names no namespace. Default: the core's (`default`). */
  readonly namespace?: string | undefined;
  /** Default: the global `fetch`. */
  readonly fetch?: typeof fetch | undefined;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** How long a call may take, in milliseconds; Infinity for no limit. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

const DEFAULT_TIMEOUT_MS = 10_000;

export interface Connection {
  readonly clock: Clock;
  readonly namespace: string | undefined;
  readonly timeoutMs: number;
  /** Aborted by `close`, with its reason. */
  readonly closed: AbortSignal;
  readonly fetch: typeof fetch;
  /** The address of a route of the core, such as `v1/agents`. */
  endpoint(route: string): URL;
  token(): Promise<string>;
  /** Whether there is a token other than the one that was refused. */
  renewed(refused: string): Promise<boolean>;
  headers(token: string): Record<string, string>;
  /** Ends every stream and call; the later ones are refused with `reason`. */
  close(reason: SwarmError): void;
}

export function openConnection(options: SwarmClientOptions, clock: Clock = systemClock): Connection {
  const base = baseUrl(options.url);
  const controller = new AbortController();
  const { token: source, namespace, timeoutMs = DEFAULT_TIMEOUT_MS, fetch: customFetch, headers } = options;
  const token = async (refused?: string): Promise<string> => {
    if (typeof source === 'string') return source;
    try {
      return await source(refused);
    } catch (error) {
      if (error instanceof SwarmError) throw error;
      throw new SwarmError('UNAVAILABLE', 'the token function failed', { cause: error });
    }
  };
  return {
    clock,
    namespace,
    timeoutMs,
    closed: controller.signal,
    fetch: customFetch ?? ((input, init) => globalThis.fetch(input, init)),
    endpoint: (route) => new URL(route, base),
    token: () => token(),
    renewed: async (refused) => typeof source !== 'string' && (await token(refused)) !== refused,
    headers: (bearer) => ({ ...headers, authorization: `Bearer ${bearer}` }),
    close: (reason) => controller.abort(reason),
  };
}

function baseUrl(given: string | URL): URL {
  const url = URL.canParse(String(given)) ? new URL(given) : null;
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw new SwarmError('INVALID_INPUT', 'url must be an http or https address', {
      details: [{ path: 'url', reason: 'must be an http or https address' }],
    });
  }
  url.search = '';
  url.hash = '';
  if (!url.pathname.endsWith('/')) url.pathname += '/';
  return url;
}

export interface PostOptions {
  readonly token: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** POSTs JSON to a plain route and gives the answer's JSON; everything else is thrown as a SwarmError. */
export function postJson(connection: Connection, url: URL, body: unknown, options: PostOptions): Promise<unknown> {
  const { timeoutMs, token } = options;
  const signals = [connection.closed, options.signal];
  return bounded(connection.clock, { timeoutMs, signals }, async (signal) => {
    let response: Response;
    let text: string;
    try {
      response = await connection.fetch(url, {
        method: 'POST',
        headers: { ...connection.headers(token), 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal,
      });
      text = await response.text();
    } catch (cause) {
      throw unreachable(cause);
    }
    const answer = parseJson(text);
    if (!response.ok || answer === undefined) {
      throw refusalOf(response.status, answer, response.headers.get('retry-after'));
    }
    return answer;
  });
}
