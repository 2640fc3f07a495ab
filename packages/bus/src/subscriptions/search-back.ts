// Goes through a log from the newest event to the oldest, a bounded part of it.
import type { EventLog, LogEntry, LogGap } from '../store/event-log.ts';
import type { LogPosition } from '../store/position.ts';

/** Events read at a time; a page of the log also ends at about 1 MiB. */
const PAGE_EVENTS = 500;

export interface BackSearch {
  /** Null: the head. */
  readonly from: LogPosition | null;
  /** Whether the event at `from` is searched, too. */
  readonly inclusive: boolean;
  readonly maxPages: number;
  /** How many events will do, if all of them pass. */
  readonly hoped?: number;
  /** Asked before each further page. Default: always. */
  readonly goesOn?: () => boolean;
}

/**
 * - `end`: nothing that is kept is left to search.
 * - `stopped`: `visit` ended the search.
 * - `more`: the bound was reached.
 */
export type SearchedBack = 'end' | 'stopped' | 'more';

/**
 * Calls `visit` with each event until it returns false. The gap of the first page is returned; of a log that is lost during the search, the
 * rest is not searched.
 */
export async function searchBack(
  log: Pick<EventLog, 'readBack'>,
  namespace: string,
  { from, inclusive, maxPages, hoped = PAGE_EVENTS, goesOn }: BackSearch,
  visit: (entry: LogEntry) => boolean,
): Promise<SearchedBack | LogGap> {
  let upTo = from;
  let isNew = inclusive || from === null;
  // One more shows whether there is more, and another one is the event at `from`.
  let limit = Math.min(PAGE_EVENTS, hoped + 2);
  for (let pages = 0; pages < maxPages; pages += 1) {
    if (pages > 0 && goesOn?.() === false) break;
    const read = await log.readBack(namespace, upTo, limit);
    if ('gap' in read) return pages === 0 ? read : 'more';
    for (const entry of read.entries) {
      if (!isNew && entry.position.seq === upTo?.seq) continue;
      if (!visit(entry)) return 'stopped';
    }
    if (read.end) return 'end';
    upTo = read.entries.at(-1)?.position ?? upTo;
    isNew = false;
    limit = PAGE_EVENTS;
  }
  return 'more';
}
