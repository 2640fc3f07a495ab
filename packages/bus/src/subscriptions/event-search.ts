// Finding events by their id: in the index, and in what the index does not have.
import { type FindInput, type FindResult, SwarmError } from '@hypercode/contracts';
import type { EventLog } from '../store/event-log.ts';
import { beginningOf } from '../store/id-key.ts';
import { AnswerPage } from './answer-page.ts';
import { answering } from './read-filter.ts';
import { searchBack } from './search-back.ts';

/** Most events in an answer, and at a time. */
const MAX_FOUND = 100;
/** Calls to the index. Each searches half a million events, or reads as many as an answer can have. */
const MAX_INDEX_PAGES = 40;
/** Pages of the log, of 500 events and about 1 MiB, that are searched where there is no index. */
const MAX_LOG_PAGES = 40;

export class EventSearch {
  readonly #log: Pick<EventLog, 'find' | 'readBack'>;

  constructor(log: Pick<EventLog, 'find' | 'readBack'>) {
    this.#log = log;
  }

  /**
   * The events with an id whose topic passes, newest first. `complete` is whether all that is kept was searched. NOT_FOUND when there is
   * none, with `complete` in its details.
   */
  async find({ namespace, source, ...input }: FindInput, passes: (topic: string) => boolean): Promise<FindResult> {
    const id = input.id.toLowerCase();
    const page = new AnswerPage(MAX_FOUND, answering({ source }, passes));
    const unindexed = await this.#searchIndex(namespace, id, page);
    const complete =
      unindexed === null || (unindexed !== 'more' && (await this.#searchLog(namespace, id, unindexed, page)));
    if (page.events.length > 0) return { events: page.events, complete };
    const limits = complete ? '' : '; older events were not searched';
    throw new SwarmError('NOT_FOUND', `no event with this id was found${limits}`, { details: { complete } });
  }

  /** Where the events begin, newest first, that are not in the index; null: all are in it; `more`: the search became too long. */
  async #searchIndex(namespace: string, id: string, page: AnswerPage) {
    let before: number | null = null;
    for (let pages = 0; pages < MAX_INDEX_PAGES; pages += 1) {
      const hits = await this.#log.find(namespace, id, { before, limit: MAX_FOUND });
      for (const entry of hits.entries) {
        if (page.isFull) return 'more' as const;
        page.take(entry);
      }
      if (hits.next === null) return hits.unindexed;
      before = hits.next;
    }
    return 'more' as const;
  }

  /** Whether everything was searched. */
  async #searchLog(
    namespace: string,
    id: string,
    from: Parameters<EventLog['readBack']>[1],
    page: AnswerPage,
  ): Promise<boolean> {
    const beginning = beginningOf(id);
    const search = { from, inclusive: true, maxPages: MAX_LOG_PAGES };
    const searched = await searchBack(this.#log, namespace, search, (entry) => {
      if (page.isFull) return false;
      if (entry.text.startsWith(beginning)) page.take(entry);
      return true;
    });
    return searched === 'end';
  }
}
