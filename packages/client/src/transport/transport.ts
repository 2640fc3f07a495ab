// The short way for the calls that are made most (publish, ack, nack, heartbeat): one POST of a JSON text, one answer.
// In Node.js it is `node:http`, whose round trip costs a third of what `fetch` takes; elsewhere it is `fetch`.

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

export interface Transport {
  /** Rejects with whatever went wrong when no whole answer came back. Must be harmless to repeat. */
  post(request: PostRequest): Promise<PostAnswer>;
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
    close() {},
  };
}
