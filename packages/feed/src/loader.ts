// Coalesces lookups: keys that are requested during a load are loaded together after it.

/**
 * Returns a function that looks up one key. One load runs at a time, and a lookup is always answered by a load that began after
 * it: the caller sees every change that was made before its call.
 */
export function coalesce<K, V>(load: (keys: K[]) => Promise<Map<K, V>>): (key: K) => Promise<V | undefined> {
  let queued: { keys: Set<K>; answer: Promise<Map<K, V>> } | null = null;
  let running: Promise<unknown> = Promise.resolve();

  return async (key) => {
    if (queued === null) {
      const keys = new Set<K>();
      const answer = running.then(() => {
        queued = null;
        return load([...keys]);
      });
      queued = { keys, answer };
      running = answer.catch(() => undefined);
    }
    queued.keys.add(key);
    const { answer } = queued;
    return (await answer).get(key);
  };
}
