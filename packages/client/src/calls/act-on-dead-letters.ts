// Redrives or discards many dead letters, page by page, so that it can be followed and stopped.
import type { DeadLetter, DeadLettersResult } from '@hypercode/contracts';
import type { Procedures } from './procedures.ts';

export type DeadLetterAct = 'redrive' | 'discard';

export interface DeadLettersWork {
  readonly client: { readonly bus: Pick<Procedures['bus'], 'deadLetters' | DeadLetterAct> };
  readonly group: string;
  readonly act: DeadLetterAct;
  /** Which of them. Default: all. */
  readonly isWanted?: (letter: DeadLetter) => boolean;
  /** Called after each page, with how many are done. */
  readonly onProgress?: (done: number) => void;
  /** Stops it after the page that is under way. */
  readonly signal?: AbortSignal;
}

/** As many as one call takes without being a long wait. */
const PAGE = 200;

/**
 * Each page begins after the one before, so an event that dies again meanwhile is not taken twice. Gives how many were done; what
 * somebody else has redriven or discarded meanwhile does not count. Rejects as `bus.deadLetters` and the act do; pages before that are done.
 */
export async function actOnDeadLetters(work: DeadLettersWork): Promise<number> {
  const { client, group, act, isWanted = () => true, onProgress, signal } = work;
  let done = 0;
  let cursor: string | undefined;
  do {
    if (signal?.aborted === true) break;
    const page: DeadLettersResult = await client.bus.deadLetters({ group, limit: PAGE, cursor });
    const deliveryIds = page.deadLetters.filter(isWanted).map(({ deliveryId }) => deliveryId);
    if (deliveryIds.length > 0) {
      const { count } = await client.bus[act]({ group, deliveryIds });
      done += count;
      onProgress?.(done);
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return done;
}
