// Reading watches in tests.
import type { Watch, WatchEvent } from '../src/index.ts';

export const registration = (name: string, labels: Record<string, string> = {}) => ({
  name,
  role: 'worker',
  version: '1.0.0',
  labels,
});

/** Reads up to the first event that `isLast`, and leaves the watch open. */
export async function readUntil(watch: Watch, isLast: (event: WatchEvent) => boolean): Promise<WatchEvent[]> {
  const events: WatchEvent[] = [];
  for (;;) {
    const { done, value } = await watch.next();
    if (done === true) throw new Error('the watch has ended');
    events.push(value);
    if (isLast(value)) return events;
  }
}

export const isSynced = ({ type }: WatchEvent): boolean => type === 'synced';
export const isChangeOf =
  (wanted: string) =>
  (event: WatchEvent): boolean =>
    event.type === 'change' && event.agent.name === wanted;
