// The one way in which the client talks to a core: requests whose answer is read whole, and requests whose answer is read as it
// comes. In Node.js it is `node:http`, which takes the proxies of the environment where that is asked for (NODE_USE_ENV_PROXY);
// elsewhere, and with the option `fetch`, it is a `fetch`. No redirect is followed.
import { IGNORED_HEADER } from '@hypercode/contracts';

/**
 * Longest address that is sent: Node.js, and so an older core, takes 16 KiB of it and the headers, and many proxies take 8 KiB. What
 * is longer goes as the body of a POST.
 */
export const MAX_URL_LENGTH = 8_000;

export interface OpenRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON text, sent by POST. */
  readonly body?: string | undefined;
  /** Ends the answer, too. */
  readonly signal: AbortSignal;
}

export interface SendRequest extends OpenRequest {
  readonly method: 'GET' | 'POST';
  /** Whether it is harmless when the core takes the request twice. */
  readonly isRepeatable: boolean;
}

export interface AnswerHead {
  readonly status: number;
  readonly contentType: string | null;
  readonly retryAfter: string | null;
  /** When the core wrote the answer, by its clock. */
  readonly date: string | null;
  /** Where a redirect leads. */
  readonly location: string | null;
  /** What the core does not know and has ignored. */
  readonly ignored: string | null;
}

export interface WholeAnswer extends AnswerHead {
  readonly text: string;
}

/** An answer that is read as it comes. */
export interface OpenAnswer extends AnswerHead {
  /** The next bytes, null at the end. Rejects when the answer is cut off. */
  read(): Promise<Uint8Array | null>;
}

export interface Transport {
  /** Rejects with whatever went wrong when no whole answer came back. */
  send(request: SendRequest): Promise<WholeAnswer>;
  /** A GET, or with a body a POST. It is not among what `close` waits for; its signal ends it. */
  open(request: OpenRequest): Promise<OpenAnswer>;
  /** Opens the WebSocket that all live streams of a client share; null where each stream is a request of its own. */
  readonly openSocket: ((url: URL) => WebSocket) | null;
  /** After a time-out: the next requests use new connections, where the transport keeps its connections itself. */
  dropIdle(): void;
  /** Lets go of idle connections now, and of the others once they have answered. */
  close(): void;
}

export interface TransportOptions {
  /** Whether live streams may share a WebSocket. */
  readonly webSocket: boolean;
}

/**
 * Everything through a `fetch`, which keeps its connections itself, but for live streams: a browser has six connections to an address
 * over HTTP/1.1, and a stream would keep one of them.
 */
export function fetchTransport(
  fetch: typeof globalThis.fetch,
  { webSocket }: TransportOptions = { webSocket: true },
): Transport {
  const hasWebSocket = webSocket && typeof WebSocket === 'function';
  return {
    openSocket: hasWebSocket ? (url) => new WebSocket(url) : null,
    async send({ method, url, headers, body, signal }) {
      const response = await fetch(url, { method, ...contentOf(headers, body), redirect: 'manual', signal });
      return { ...headOf(response), text: await response.text() };
    },
    async open({ url, headers, body, signal }) {
      const method = body === undefined ? 'GET' : 'POST';
      const content = contentOf(headers, body);
      const response = await fetch(url, { method, ...content, cache: 'no-store', redirect: 'manual', signal });
      const reader = response.body?.getReader();
      return { ...headOf(response), read: async () => (await reader?.read())?.value ?? null };
    },
    dropIdle() {},
    close() {},
  };
}

const contentOf = (headers: Readonly<Record<string, string>>, body: string | undefined): RequestInit =>
  body === undefined ? { headers } : { headers: { ...headers, 'content-type': 'application/json' }, body };

const headOf = ({ status, headers }: Response): AnswerHead => ({
  status,
  contentType: headers.get('content-type'),
  retryAfter: headers.get('retry-after'),
  date: headers.get('date'),
  location: headers.get('location'),
  ignored: headers.get(IGNORED_HEADER),
});
