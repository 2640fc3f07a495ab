// The leak check: what a test started must be gone when it ends.
import { waitFor } from './wait-for.ts';

export interface LeakTracker {
  /**
   * Fails with the list of sockets, timers, processes and other resources that keep the process alive and were not
   * there when tracking began. Gives what is still closing `settleMs` (default 5,000) to settle.
   */
  check(settleMs?: number): Promise<void>;
}

/**
 * Remembers what keeps the process alive now. Resources are distinguished by kind and number only, those that were
 * unref'd are not seen, and one that ends meanwhile hides a leaked one of its kind: begin when all is quiet, and after
 * what the file shares with others, such as a core, has started.
 */
export function trackLeaks(): LeakTracker {
  const before = countResources();
  return {
    async check(settleMs = 5_000) {
      let leaked: string[] = [];
      const settled = () => {
        leaked = describeNew(before, countResources());
        return leaked.length === 0;
      };
      await waitFor(settled, { what: 'resources to be released', timeoutMs: settleMs }).catch((error: unknown) => {
        throw new Error(`Leaked: ${leaked.join(', ')}`, { cause: error });
      });
    },
  };
}

function countResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const type of process.getActiveResourcesInfo()) counts.set(type, (counts.get(type) ?? 0) + 1);
  return counts;
}

function describeNew(before: Map<string, number>, now: Map<string, number>): string[] {
  return [...now]
    .map(([type, count]) => ({ type, extra: count - (before.get(type) ?? 0) }))
    .filter(({ extra }) => extra > 0)
    .map(({ type, extra }) => `${extra} × ${type}`);
}
