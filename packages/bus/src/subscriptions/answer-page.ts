// The events of one answer, up to its limits.
import type { LoggedEvent } from '@hypercode/contracts';
import type { LogEntry } from '../store/event-log.ts';
import type { Answering } from './read-filter.ts';

/** Of events, as JSON, after which an answer ends. */
const MAX_BYTES = 4 * 1024 * 1024;

export class AnswerPage {
  readonly events: LoggedEvent[] = [];
  readonly #limit: number;
  readonly #answer: Answering;
  #bytes = 0;

  constructor(limit: number, answer: Answering) {
    this.#limit = limit;
    this.#answer = answer;
  }

  get isFull(): boolean {
    return this.events.length === this.#limit || this.#bytes >= MAX_BYTES;
  }

  /** Adds the event if it passes. */
  take(entry: LogEntry): void {
    const event = this.#answer(entry);
    if (event === null) return;
    this.#bytes += Buffer.byteLength(entry.text);
    this.events.push(event);
  }
}
