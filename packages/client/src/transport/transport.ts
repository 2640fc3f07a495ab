// The short way for the calls that are made most (publish, ack, nack, heartbeat): one POST of a JSON text, one answer. And the
// way of streams. In Node.js it is `node:http`, whose round trip costs a third of what `fetch` takes, and which opens a stream on
// a connection of its own; elsewhere it is `fetch`.

export interface PostRequest {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** A JSON text. */
  readonly body: string;
  readonly signal: AbortSignal;
}

export interface PostAnswer {
  readonly status: number;
  readonly text: string;
  /** The header of that name. */
  readonly retryAfter: string | null;
}

export interface GetRequest extends Omit<PostRequest, 'body'> {
  /** Ends the answer, too. */
  readonly signal: AbortSignal;
}

/** An answer that is read as it comes. */
export interface OpenAnswer {
  readonly status: number;
  readonly contentType: string | null;
  readonly retryAfter: string | null;
  /** The next bytes, null at the end. Rejects when the answer is cut off. */
  read(): Promise<Uint8Array | null>;
}

export interface Transport {
  /**
   * Rejects with whatever went wrong when no whole answer came back. Must be harmless to repeat. After a time-out the next request
   * uses a new connection, where the transport keeps its connections itself.
   */
  post(request: PostRequest): Promise<PostAnswer>;
  /** A GET. It is not among what `close` waits for; its signal ends it. */
  open(request: GetRequest): Promise<OpenAnswer>;
  /** Lets go of idle connections now, and of the others once they have answered. */
  close(): void;
}

/** Everything through a `fetch`, which keeps its connections itself. */
export function fetchTransport(fetch: typeof globalThis.fetch): Transport {
  return {
    async post({ url, headers, body, signal }) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body,
        signal,
      });
      return {
        status: response.status,
        text: await response.text(),
        retryAfter: response.headers.get('retry-after'),
      };
    },
    async open({ url, headers, signal }) {
      const response = await fetch(url, { headers, cache: 'no-store', signal });
      const reader = response.body?.getReader();
      return {
        status: response.status,
        contentType: response.headers.get('content-type'),
        retryAfter: response.headers.get('retry-after'),
        read: async () => (await reader?.read())?.value ?? null,
      };
    },
    close() {},
  };
}
