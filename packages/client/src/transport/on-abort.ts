// Hearing of an abort with any number of listeners: Node 20 warns of a leak from the eleventh on one signal.

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
    const tell = (): void => {
      for (const listener of [...created]) if (created.delete(listener)) listener();
    };
    signal.addEventListener('abort', tell, { once: true });
  }
  const listeners = known;
  const listener = (): void => run();
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
