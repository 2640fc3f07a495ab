// Opening a watch, for every transport: who may, until when, from where.
import type { WatchInput } from '@hypercode/contracts';
import { assertMayRead, type Identity, type WatchBatch } from '@hypercode/registry';
import type { Core } from './context.ts';

export interface WatchCall {
  core: Core;
  identity: Identity;
  input: WatchInput;
  /** Aborts when the caller is gone. */
  signal: AbortSignal;
}

/**
 * The batches of a watch. Ends silently when the caller goes or the core drains, and with the refusal when the
 * caller's token ends. Throws FORBIDDEN, INVALID_INPUT, UNAVAILABLE.
 */
export async function* openWatch({ core, identity, input, signal }: WatchCall): AsyncGenerator<WatchBatch, void> {
  const { namespace, since, lastEventId, ...filter } = input;
  assertMayRead(identity.principal, namespace);
  const over = new AbortController();
  const endQuietly = () => over.abort();
  const release = identity.onEnd((refusal) => over.abort(refusal));
  signal.addEventListener('abort', endQuietly);
  core.draining.addEventListener('abort', endQuietly);
  if (signal.aborted || core.draining.aborted) endQuietly();
  try {
    yield* core.registry.watches.open({ namespace, filter, cursor: lastEventId ?? since }, over.signal);
  } finally {
    signal.removeEventListener('abort', endQuietly);
    core.draining.removeEventListener('abort', endQuietly);
    release();
    core.registry.identities.released(identity);
  }
}
