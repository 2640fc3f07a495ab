// How long a stream, or a call that waits, lives: until the caller's connection closes, the token ends, or the core drains.
import type { StreamBatch, StreamItem } from '@hypercode/feed';
import type { Call } from './handler.ts';

/**
 * What `open` yields. Its controller aborts silently when the connection closes or the core drains, and with the refusal when
 * the caller's token ends. RATE_LIMITED when the caller has too many streams, or topic patterns over them.
 */
export async function* whileAlive<I extends StreamItem>(
  call: Call,
  patterns: number,
  open: (end: AbortController) => AsyncGenerator<StreamBatch<I>, void>,
): AsyncGenerator<StreamBatch<I>, void> {
  const leave = call.core.gate.allowances.beginStream(call.identity.principal, patterns);
  const { end, release } = lifeOf(call);
  try {
    yield* open(end);
  } finally {
    release();
    leave();
  }
}

/** The same for a call that waits for its answer. */
export async function waitWhileAlive<T>(call: Call, work: (end: AbortSignal) => Promise<T>): Promise<T> {
  const { end, release } = lifeOf(call);
  try {
    return await work(end.signal);
  } finally {
    release();
  }
}

function lifeOf({ core, identity, signal }: Call): { end: AbortController; release: () => void } {
  const end = new AbortController();
  const endSilently = () => end.abort();
  const forget = identity.onEnd((refusal) => end.abort(refusal));
  signal.addEventListener('abort', endSilently);
  core.draining.addEventListener('abort', endSilently);
  if (signal.aborted || core.draining.aborted) endSilently();
  const release = () => {
    signal.removeEventListener('abort', endSilently);
    core.draining.removeEventListener('abort', endSilently);
    forget();
    core.registry.identities.released(identity);
  };
  return { end, release };
}
