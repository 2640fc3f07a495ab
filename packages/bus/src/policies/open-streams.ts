// The streams that agents have open on this replica, so that a change of policy can name those that it ends.
import type { PolicyEffect } from '@hypercode/contracts';

export type OpenStream = PolicyEffect['streams']['list'][number];

export class OpenStreams {
  readonly #byNamespace = new Map<string, Set<OpenStream>>();

  /** Keeps the stream until the returned function is called. */
  add(namespace: string, stream: OpenStream): () => void {
    const streams = this.#byNamespace.get(namespace) ?? new Set();
    this.#byNamespace.set(namespace, streams.add(stream));
    return () => {
      streams.delete(stream);
      if (streams.size === 0 && this.#byNamespace.get(namespace) === streams) this.#byNamespace.delete(namespace);
    };
  }

  of(namespace: string): Iterable<OpenStream> {
    return this.#byNamespace.get(namespace) ?? [];
  }
}
