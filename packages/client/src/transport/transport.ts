// The one way in which the client talks to a core: requests whose answer is read whole, and requests whose answer is read as it
// comes. In Node.js it is `node:http`, which takes the proxies of the environment where that is asked for (NODE_USE_ENV_PROXY);
// elsewhere, and with the option `fetch`, it is a `fetch`. No redirect is followed.

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
  /** After a time-out: the next requests use new connections, where the transport keeps its connections itself. */
  dropIdle(): void;
  /** Lets go of idle connections now, and of the others once they have answered. */
  close(): void;
}

/** Everything through a `fetch`, which keeps its connections itself. */
export function fetchTransport(fetch: typeof globalThis.fetch): Transport {
  return {
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
});
