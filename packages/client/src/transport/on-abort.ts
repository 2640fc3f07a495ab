// Any number of listeners on an abort signal: some releases of Node.js warn of a leak from the eleventh on.

const listening = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `run` when `signal` is aborted, or at once when it was before; the returned function calls that off. */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  if (signal.aborted) {
    run();
    return () => {};
  }
  let known = listening.get(signal);
  if (known === undefined) {
    const created = (known = new Set<() => void>());
    listening.set(signal, created);
    const notify = (): void => {
      for (const listener of [...created]) if (created.delete(listener)) listener();
    };
    signal.addEventListener('abort', notify, { once: true });
  }
  const listeners = known;
  const listener = (): void => run();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
