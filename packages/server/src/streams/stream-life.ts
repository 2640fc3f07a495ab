// How long a stream, or a call that waits, lives: until its caller goes, its token ends, or the core drains.
import type { StreamBatch, StreamItem } from '@hypercode/feed';
import type { Identity } from '@hypercode/registry';
import type { Core } from '../context.ts';

export interface StreamCall {
  core: Core;
  identity: Identity;
  /** Aborts when the caller is gone. */
  signal: AbortSignal;
}

/**
 * What `open` yields. It is handed a signal that aborts silently when the caller goes or the core drains, and with the
 * refusal when the caller's token ends.
 */
export async function* whileAlive<I extends StreamItem>(
  call: StreamCall,
  open: (over: AbortController) => AsyncGenerator<StreamBatch<I>, void>,
): AsyncGenerator<StreamBatch<I>, void> {
  const { over, end } = lifeOf(call);
  try {
    yield* open(over);
  } finally {
    end();
  }
}

/** The same for a call that waits for its answer. */
export async function waitWhileAlive<T>(call: StreamCall, work: (over: AbortSignal) => Promise<T>): Promise<T> {
  const { over, end } = lifeOf(call);
  try {
    return await work(over.signal);
  } finally {
    end();
  }
}

function lifeOf({ core, identity, signal }: StreamCall): { over: AbortController; end: () => void } {
  const over = new AbortController();
  const endQuietly = () => over.abort();
  const release = identity.onEnd((refusal) => over.abort(refusal));
  signal.addEventListener('abort', endQuietly);
  core.draining.addEventListener('abort', endQuietly);
  if (signal.aborted || core.draining.aborted) endQuietly();
  const end = () => {
    signal.removeEventListener('abort', endQuietly);
    core.draining.removeEventListener('abort', endQuietly);
    release();
    core.registry.identities.released(identity);
  };
  return { over, end };
}
