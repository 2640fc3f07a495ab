// Bookmarks: values without content that keep the cursor of an idle stream young and its connection alive.
import { type Clock, repeat } from '@hypercode/clock';
import type { StreamBatch, StreamItem } from './stream-item.ts';

export interface BookmarksOptions<P, I extends StreamItem> {
  clock: Pick<Clock, 'schedule'>;
  /** How often a stream that has everything is sent a bookmark, in milliseconds. */
  intervalMs: number;
  /** The id of a bookmark at `position`; equal for equal positions only. */
  idOf: (position: P) => string;
  make: (position: P) => I;
  /** Called when bookmarks are due: wakes the streams that wait. */
  onTick: () => void;
}

/** The bookmarks of all streams of one kind. A stream is due for a bookmark when `ticks` has moved since it last compared. */
export class Bookmarks<P, I extends StreamItem> {
  readonly #options: BookmarksOptions<P, I>;
  readonly #end: () => void;
  #ticks = 0;
  #last: StreamBatch<I> | null = null;

  constructor(options: BookmarksOptions<P, I>) {
    this.#options = options;
    this.#end = repeat(options.clock, options.intervalMs, () => {
      this.#ticks += 1;
      options.onTick();
    });
  }

  /** How often bookmarks have been due. */
  get ticks(): number {
    return this.#ticks;
  }

  /** The bookmark at `position`: the same object for streams that stand at the same position, one after another. */
  at(position: P): StreamBatch<I> {
    if (this.#last?.[0]?.id !== this.#options.idOf(position)) this.#last = [this.#options.make(position)];
    return this.#last;
  }

  close(): void {
    this.#end();
  }
}
