// The stream of one member of a consumer group: who it is, what it is given, and a bookmark while nothing comes.
import { type Clock, sleep } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { Alarm, type Bookmarks, ended, type StreamBatch } from '@hypercode/feed';
import { unavailable } from '@hypercode/stores';
import type { GroupDelivery } from '../store/group-store.ts';
import type { LogPosition } from '../store/position.ts';
import {
  DeliveryItem,
  groupBookmarkItem,
  groupGapItem,
  type GroupItem,
  type IdentifiedOutcome,
  joinedItem,
} from './delivery.ts';
import type { Claim, GroupReader, Member } from './group-reader.ts';

export interface MemberStreamOptions {
  reader: Pick<GroupReader, 'cursor' | 'join' | 'paused' | 'promising' | 'state'>;
  clock: Clock;
  bookmarks: Bookmarks<LogPosition, GroupItem>;
  consumer: string;
  /** Most deliveries that the member has open. */
  maxInFlight: number;
  /** Rejects as the store does. */
  claim: (claim: Claim) => Promise<IdentifiedOutcome>;
  /** Returns deliveries to the group; never rejects. */
  giveBack: (deliveries: readonly GroupDelivery[]) => Promise<void>;
  /** Whether the core is shutting down. */
  isClosing: () => boolean;
}

/** How long a stream waits for a store that does not answer, before it asks again, in milliseconds. */
const STORE_RETRY_MS = 500;
/** Deliveries of one batch have about so many bytes: a connection that does not read holds one batch, and the rest is given back. */
const BATCH_BYTES = 64 * 1024;

/**
 * States of the stream; a bookmark is due in each of them at every tick of `bookmarks`, and when the group was paused or resumed:
 * - waiting: the member has no room, or there is nothing to claim. → claiming, when the reader rings.
 * - claiming: the store is asked. → sending, or waiting.
 * - sending: what was claimed is handed out in batches, each when the transport asks for it. → waiting.
 * - ended: the signal aborted, another stream of the consumer took its place, or the core shuts down. What was claimed and
 *   not sent is given back when that happens, also while the transport is stuck.
 */
export class MemberStream implements Member {
  readonly #options: MemberStreamOptions;
  readonly #alarm = new Alarm();
  /** Aborts when the stream ends before its reader does. */
  readonly #over = new AbortController();
  /** Nothing is claimed: a claim is under way, or the store had no room. */
  #isFull = false;
  /** Whether the store had room at the last claim. */
  #hadRoom = true;
  /** Whether the next claim is the first: the member itself asks. */
  #isFirst = true;
  #claiming: Promise<void> | null = null;
  /** What the last claim ended with, until it was thrown. */
  #failure: { readonly error: unknown } | null = null;
  #isStoreUnavailable = false;
  /** What was claimed and not handed out. */
  #waiting: GroupItem[] = [];
  /** Deliveries of the last claim: those that were not sent are given back at the end. */
  #claimed: DeliveryItem[] = [];
  readonly #givingBack: Promise<void>[] = [];
  #leave = (): void => {};

  constructor(options: MemberStreamOptions) {
    this.#options = options;
  }

  onChange(): void {
    this.#alarm.ring();
  }

  get hasRoom(): boolean {
    return this.#hadRoom && this.#waiting.length === 0;
  }

  onRoom(): void {
    this.#hadRoom = true;
    this.#isFull = false;
    this.#alarm.ring();
  }

  /** Another stream of the same consumer has begun: this one ends with CONFLICT. */
  replace(): void {
    const message = `another stream of the consumer "${this.#options.consumer}" has taken the place of this one`;
    this.#end(new SwarmError('CONFLICT', message));
  }

  /**
   * The first value is `joined`. Ends when `signal` aborts: silently, or by throwing the signal's reason if that is a SwarmError.
   * CONFLICT when the stream is replaced; UNAVAILABLE when the core shuts down; what the store throws, unless it is
   * UNAVAILABLE: the stream goes on when the store answers again.
   */
  async *run(signal: AbortSignal): AsyncGenerator<StreamBatch<GroupItem>, void, undefined> {
    const { reader, bookmarks, clock, consumer, isClosing } = this.#options;
    const over = this.#over.signal;
    const end = () => this.#end(signal.reason);
    this.#leave = reader.join(this);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    let { ticks } = bookmarks;
    let { paused } = reader;
    try {
      yield [joinedItem(consumer, reader)];
      while (!ended(over)) {
        if (isClosing()) throw unavailable('the core is shutting down');
        if (this.#failure !== null) throw this.#failure.error;
        if (ticks !== bookmarks.ticks || paused !== reader.paused) {
          ({ ticks } = bookmarks);
          ({ paused } = reader);
          yield paused ? [groupBookmarkItem(reader.cursor, { paused })] : bookmarks.at(reader.cursor);
          continue;
        }
        if (this.#waiting.length > 0) {
          yield this.#nextBatch();
          continue;
        }
        if (this.#isStoreUnavailable) {
          this.#isStoreUnavailable = false;
          await sleep(clock, STORE_RETRY_MS, over);
          continue;
        }
        if (this.#claiming === null && !this.#isFull && reader.promising) this.#claiming = this.#claim();
        await this.#alarm.wait();
      }
    } finally {
      signal.removeEventListener('abort', end);
      this.#end(undefined);
      await this.#claiming;
      await Promise.all(this.#givingBack);
    }
  }

  /** Never rejects. */
  async #claim(): Promise<void> {
    const { claim, consumer, maxInFlight } = this.#options;
    // Room may come while the store is asked.
    this.#isFull = true;
    try {
      const isSign = this.#isFirst;
      this.#isFirst = false;
      const { deliveries, gap, room, cursor, isSilent } = await claim({
        consumer,
        isSign,
        maxInFlight,
        max: maxInFlight,
        ifPromising: true,
        by: this,
      });
      if (isSilent) this.#failure = { error: silent(consumer) };
      this.#hadRoom = room > 0;
      if (room > 0) this.#isFull = false;
      this.#claimed = deliveries.map((delivery) => new DeliveryItem(delivery));
      this.#waiting = gap === null ? [...this.#claimed] : [groupGapItem(gap, cursor), ...this.#claimed];
      if (this.#over.signal.aborted) this.#giveBackUnsent();
    } catch (error) {
      this.#isFull = false;
      if (error instanceof SwarmError && error.code === 'UNAVAILABLE') this.#isStoreUnavailable = true;
      else this.#failure = { error };
    }
    this.#claiming = null;
    this.#alarm.ring();
  }

  #nextBatch(): StreamBatch<GroupItem> {
    let bytes = 0;
    let count = 0;
    for (const item of this.#waiting) {
      count += 1;
      // A gap goes alone.
      if (!(item instanceof DeliveryItem)) break;
      bytes += item.delivery.text.length;
      if (bytes >= BATCH_BYTES) break;
    }
    return this.#waiting.splice(0, count);
  }

  #end(reason: unknown): void {
    this.#leave();
    this.#over.abort(reason);
    this.#giveBackUnsent();
    this.#alarm.ring();
  }

  #giveBackUnsent(): void {
    const unsent = this.#claimed.filter(({ isSent }) => !isSent);
    this.#waiting = [];
    this.#claimed = [];
    if (unsent.length > 0) this.#givingBack.push(this.#options.giveBack(unsent.map(({ delivery }) => delivery)));
  }
}

/** A member that is there opens a new stream, which is a sign of life. */
const silent = (consumer: string): SwarmError =>
  unavailable(
    `the consumer "${consumer}" let the deadlines of all its deliveries pass; open the stream again to receive more`,
  );
