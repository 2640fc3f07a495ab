// `fetch` for a server that is not trusted: no redirects, and answers of a bounded length.

/** Why there is no usable answer, in words that repeat nothing of it. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

/**
 * A `fetch` that reads at most `maxBytes` of an answer (unpacked), and all of that before it resolves. Rejects with
 * NoAnswer for a longer one and for a redirect, and otherwise as `fetch` does.
 */
export function boundedFetch(fetch: typeof globalThis.fetch, maxBytes: number): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, { ...init, redirect: 'manual' });
    if (response.type === 'opaqueredirect' || (response.status >= 300 && response.status < 400)) {
      await discard(response);
      throw new NoAnswer(`the model answered with a redirect (status ${response.status}), which is not followed`);
    }
    const chunks: Uint8Array<ArrayBuffer>[] = [];
    let bytes = 0;
    // Leaving the loop early cancels the rest.
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw new NoAnswer(`the answer is longer than ${maxBytes} bytes`);
      chunks.push(chunk);
    }
    const { status, statusText, headers } = response;
    return new Response(isBodiless(status) ? null : new Blob(chunks), { status, statusText, headers });
  };
}

/** Statuses of answers that may not be given a body (Fetch Standard, "null body status"). */
const isBodiless = (status: number): boolean => status === 204 || status === 205;

/** Frees the connection. */
const discard = async (response: Response): Promise<void> => {
  await response.body?.cancel().catch(() => {});
};
