// What publishers, subscribers and members of groups saw, and what of it contradicts the log.
import type { SwarmClient } from '@hypercode/client';
import type { LoggedEvent, SwarmEvent } from '@hypercode/contracts';

export interface SeenEvent {
  readonly position: string;
  readonly id: string;
}

export interface SeenDelivery {
  readonly id: string;
  readonly attempt: number;
}

/** All events of the log that match. */
export async function readLog(client: SwarmClient, topic: string): Promise<LoggedEvent[]> {
  const log: LoggedEvent[] = [];
  for (let after: string | undefined; ;) {
    const page = await client.bus.read({ topics: [topic], limit: 500, ...(after === undefined ? {} : { after }) });
    log.push(...page.events);
    if (page.next === after || page.events.length === 0) return log;
    after = page.next;
  }
}

/** The first `{ id }` that stands twice in the list; null when each stands once. */
export function repeatedIn(seen: readonly { id: string }[]): string | null {
  const ids = new Set<string>();
  for (const { id } of seen) {
    if (ids.has(id)) return id;
    ids.add(id);
  }
  return null;
}

/** What of `log` the subscriber, who began at its beginning, should have seen and has not, or has seen otherwise. */
export function differenceFrom(log: readonly SeenEvent[], seen: readonly SeenEvent[]): string | null {
  for (const [index, { id, position }] of log.entries()) {
    const there = seen[index];
    if (there === undefined) return `has not seen ${position} (${index} of ${log.length})`;
    if (there.id !== id || there.position !== position) return `saw ${there.position} in place of ${position}`;
  }
  return seen.length === log.length ? null : `saw ${seen[log.length]?.position}, which is not in the log`;
}

/** An attempt that was handed out twice. Which of two attempts arrives first, at two members, is chance. */
export function falseAttemptIn(deliveries: readonly SeenDelivery[]): string | null {
  const seen = new Set<string>();
  for (const { id, attempt } of deliveries) {
    const name = `attempt ${attempt} at ${id}`;
    if (seen.has(name)) return `${name} came twice`;
    seen.add(name);
  }
  return null;
}

/** Events of a publisher, numbered: the numbers that are missing or out of order in the log. */
export function disorderIn(log: readonly SwarmEvent[], publisher: number): string | null {
  let last = -1;
  for (const { data } of log) {
    const { who, n } = data as { who: number; n: number };
    if (who !== publisher) continue;
    if (n <= last) return `publisher ${publisher}: ${n} stands behind ${last}`;
    last = n;
  }
  return null;
}
