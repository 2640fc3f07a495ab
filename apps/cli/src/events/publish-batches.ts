// Publishing many events in their order: what has come while a batch was under way is the next batch, so that a slow source is published
// at once and a fast one in large batches. Ids are set before anything is sent: what is sent again is no second event.
import type { PublishResult, SwarmClient } from '@hypercode/client';
import type { ApiInput, SwarmErrorBody } from '@hypercode/contracts';
import type { Outage } from './outage.ts';

const BATCH_EVENTS = 500;
/** In characters of JSON; the core takes 4 MiB of bytes, in which a character has at most three. */
const BATCH_LENGTH = 1024 * 1024;
const FIRST_WAIT_MS = 250;
const MAX_WAIT_MS = 5_000;

export type OutgoingEvent = ApiInput<'bus.publish'> & { readonly id: string };

/** An event, and whatever its source has to know of it. */
export interface Outgoing<Note> {
  readonly event: OutgoingEvent;
  /** Of its JSON. */
  readonly length: number;
  readonly note: Note;
}

export interface Published<Note> {
  readonly outgoing: Outgoing<Note>;
  readonly result: PublishResult | { readonly id: string | null; readonly error: SwarmErrorBody };
}

/** The results in the order of the events, batch by batch. */
export async function* publishInBatches<Note>(
  client: SwarmClient,
  events: AsyncIterable<Outgoing<Note>>,
  outage: Outage,
): AsyncGenerator<Published<Note>[]> {
  const intake = new Intake(events);
  try {
    for (let batch = await intake.take(); batch.length > 0; batch = await intake.take()) {
      yield await publishBatch(client, batch, outage);
    }
  } finally {
    intake.end();
  }
}

/** Publishes them, and repeats what the core could not take now. */
async function publishBatch<Note>(
  client: SwarmClient,
  batch: readonly Outgoing<Note>[],
  outage: Outage,
): Promise<Published<Note>[]> {
  const results = new Map<Outgoing<Note>, Published<Note>>();
  let open = batch;
  for (let waitMs = FIRST_WAIT_MS; open.length > 0; waitMs = Math.min(waitMs * 2, MAX_WAIT_MS)) {
    const sent = open;
    let retryAfterMs: number | undefined;
    try {
      const answer = await client.bus.publishMany(
        { events: sent.map(({ event }) => event) },
        { signal: outage.signal },
      );
      outage.answered();
      for (const [index, outgoing] of sent.entries()) {
        const result = answer.results[index];
        if (result === undefined) continue;
        if ('error' in result && result.error.retryable) retryAfterMs = result.error.retryAfterMs ?? retryAfterMs ?? 0;
        else results.set(outgoing, { outgoing, result });
      }
      open = sent.filter((outgoing) => !results.has(outgoing));
      if (open.length < sent.length) waitMs = FIRST_WAIT_MS;
      if (open.length > 0) await outage.pause(retryAfterMs === undefined || retryAfterMs === 0 ? waitMs : retryAfterMs);
    } catch (error) {
      await outage.wait(error, waitMs);
    }
  }
  return batch.flatMap((outgoing) => results.get(outgoing) ?? []);
}

/** Reads ahead of what is published, for at most two batches. */
class Intake<Note> {
  readonly #iterator: AsyncIterator<Outgoing<Note>>;
  #held: Outgoing<Note>[] = [];
  #heldLength = 0;
  #hasEnded = false;
  #error: Error | undefined;
  readonly #waiting: (() => void)[] = [];

  constructor(events: AsyncIterable<Outgoing<Note>>) {
    this.#iterator = events[Symbol.asyncIterator]();
    void this.#read();
  }

  /** The next batch; empty at the end. Throws what the source threw, after what came before it. */
  async take(): Promise<Outgoing<Note>[]> {
    while (this.#held.length === 0 && !this.#hasEnded) await this.#change();
    if (this.#held.length === 0 && this.#error !== undefined) throw this.#error;
    let length = 0;
    let count = 0;
    for (const outgoing of this.#held) {
      length += outgoing.length;
      if (count > 0 && (count === BATCH_EVENTS || length > BATCH_LENGTH)) break;
      count += 1;
    }
    const batch = this.#held.splice(0, count);
    for (const outgoing of batch) this.#heldLength -= outgoing.length;
    this.#changed();
    return batch;
  }

  end(): void {
    this.#hasEnded = true;
    this.#changed();
    // What it throws at its end changes nothing any more.
    this.#iterator.return?.().catch(() => {});
  }

  async #read(): Promise<void> {
    try {
      while (!this.#hasEnded) {
        const next = await this.#iterator.next();
        if (next.done === true) break;
        this.#held.push(next.value);
        this.#heldLength += next.value.length;
        this.#changed();
        while (!this.#hasEnded && this.#isFull) await this.#change();
      }
    } catch (error) {
      this.#error = error instanceof Error ? error : new Error(String(error));
    }
    this.#hasEnded = true;
    this.#changed();
  }

  get #isFull(): boolean {
    return this.#held.length >= 2 * BATCH_EVENTS || this.#heldLength >= 2 * BATCH_LENGTH;
  }

  #change(): Promise<void> {
    return new Promise((resolve) => void this.#waiting.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}
