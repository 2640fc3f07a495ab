// How long a stream lives: until its caller goes, its token ends, or the core drains.
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
  { core, identity, signal }: StreamCall,
  open: (over: AbortController) => AsyncGenerator<StreamBatch<I>, void>,
): AsyncGenerator<StreamBatch<I>, void> {
  const over = new AbortController();
  const endQuietly = () => over.abort();
  const release = identity.onEnd((refusal) => over.abort(refusal));
  signal.addEventListener('abort', endQuietly);
  core.draining.addEventListener('abort', endQuietly);
  if (signal.aborted || core.draining.aborted) endQuietly();
  try {
    yield* open(over);
  } finally {
    signal.removeEventListener('abort', endQuietly);
    core.draining.removeEventListener('abort', endQuietly);
    release();
    core.registry.identities.released(identity);
  }
}
