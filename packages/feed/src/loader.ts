// Many questions at once become one: keys asked for while a load is under way are loaded together after it.

/**
 * Returns a function that looks up one key. One load runs at a time, and an answer always comes from a load that began
 * after its question: whoever asks sees everything that was true when it asked.
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
