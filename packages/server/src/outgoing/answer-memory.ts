// The memory that answers take in this process, from before they are made until their connections have taken them.
import type { Clock } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';

/** Of answers as JSON. As objects and text together they take about five times as much for a moment. */
const MAX_BYTES = 96 * 1024 * 1024;
/** Of one caller. */
const MAX_CALLER_BYTES = MAX_BYTES / 4;
/** How long a call waits for memory, in milliseconds. */
const MAX_WAIT_MS = 5000;
/** When a caller that has waited may try again, in milliseconds. */
const RETRY_MS = 1000;

export interface AnswerMemoryOptions {
  readonly clock: Pick<Clock, 'schedule'>;
  readonly maxBytes?: number;
  readonly maxCallerBytes?: number;
}

interface Waiting {
  readonly caller: string;
  readonly bytes: number;
  readonly grant: (release: Release) => void;
}

/** Gives back what was taken; once. */
export type Release = () => void;

/**
 * A call takes as much as its answer can have at most, until its connection has taken the answer. Calls for which there is no room
 * wait in their order; one that waits for its own caller's share holds up no other caller.
 */
export class AnswerMemory {
  readonly #clock: Pick<Clock, 'schedule'>;
  readonly #maxBytes: number;
  readonly #maxCallerBytes: number;
  readonly #byCaller = new Map<string, number>();
  readonly #waiting = new Set<Waiting>();
  #bytes = 0;

  constructor({ clock, maxBytes = MAX_BYTES, maxCallerBytes = MAX_CALLER_BYTES }: AnswerMemoryOptions) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
    this.#maxCallerBytes = maxCallerBytes;
  }

  /** Bytes that are taken now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** RATE_LIMITED when there was no room for five seconds. */
  reserve(caller: string, bytes: number): Release | Promise<Release> {
    if (this.#hasRoom(caller, bytes)) return this.#take(caller, bytes);
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.schedule(MAX_WAIT_MS, () => {
        this.#waiting.delete(waiting);
        const message = 'too many bytes of answers are waiting to be sent; take the answers, or ask for less at a time';
        reject(new SwarmError('RATE_LIMITED', message, { details: { limit: 'answers' }, retryAfterMs: RETRY_MS }));
      });
      const waiting: Waiting = {
        caller,
        bytes,
        grant: (release) => {
          cancel();
          resolve(release);
        },
      };
      this.#waiting.add(waiting);
    });
  }

  /** What is larger than all that there is gets it when nothing else does. */
  #hasRoom(caller: string, bytes: number): boolean {
    const ofCaller = this.#byCaller.get(caller) ?? 0;
    if (ofCaller > 0 && ofCaller + bytes > this.#maxCallerBytes) return false;
    return this.#bytes === 0 || this.#bytes + bytes <= this.#maxBytes;
  }

  #take(caller: string, bytes: number): Release {
    this.#bytes += bytes;
    this.#byCaller.set(caller, (this.#byCaller.get(caller) ?? 0) + bytes);
    return () => this.#release(caller, bytes);
  }

  #release(caller: string, bytes: number): void {
    this.#bytes -= bytes;
    const rest = (this.#byCaller.get(caller) ?? 0) - bytes;
    if (rest > 0) this.#byCaller.set(caller, rest);
    else this.#byCaller.delete(caller);
    for (const waiting of this.#waiting) {
      if (!this.#hasRoom(waiting.caller, waiting.bytes)) continue;
      this.#waiting.delete(waiting);
      waiting.grant(this.#take(waiting.caller, waiting.bytes));
    }
  }
}

/** Memory of one caller that is taken and left as often as needed. */
export class AnswerRoom {
  readonly #memory: AnswerMemory;
  readonly #caller: string;
  readonly #bytes: number;
  #release: Release | null = null;

  constructor(memory: AnswerMemory, caller: string, bytes: number) {
    this.#memory = memory;
    this.#caller = caller;
    this.#bytes = bytes;
  }

  /** See `AnswerMemory.reserve`. */
  async take(): Promise<void> {
    this.#release ??= await this.#memory.reserve(this.#caller, this.#bytes);
  }

  leave(): void {
    this.#release?.();
    this.#release = null;
  }
}
