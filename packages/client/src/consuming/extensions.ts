// Keeps what is being worked on from being given to another member: its deadline is extended as long as the handler runs. The timer is one
// of the event loop that the handler uses, so that a process which hangs or dies extends nothing.
import { isRecord } from '../transport/json.ts';
import { callMutation, type Connection, tryLimitMs } from '../transport/connection.ts';

export interface OpenDelivery {
  readonly deliveryId: string;
  /** On the connection's clock, as all times here. */
  readonly beganAt: number;
  readonly deadline: number;
  moveDeadline(deadline: number): void;
}

export interface ExtensionsOptions {
  readonly connection: Connection;
  readonly group: string;
  readonly namespace: string | undefined;
  /** Of the group, in milliseconds. */
  readonly ackDeadlineMs: () => number;
  /** For how long one delivery is extended, in milliseconds. */
  readonly maxHandlerMs: number;
  readonly open: () => Iterable<OpenDelivery>;
}

/** Checks within a deadline: a second one may still succeed when the first one failed. */
const CHECKS = 3;
/** Most deliveries of one call. */
const MAX_BATCH = 256;

export class Extensions {
  readonly #options: ExtensionsOptions;
  #cancel = (): void => {};

  constructor(options: ExtensionsOptions) {
    this.#options = options;
    this.#schedule();
  }

  end(): void {
    this.#cancel();
    this.#cancel = () => {};
  }

  #schedule(): void {
    const { connection, ackDeadlineMs } = this.#options;
    const cancel = connection.clock.schedule(ackDeadlineMs() / CHECKS, async () => {
      await this.#extendAll();
      // Not ended meanwhile.
      if (this.#cancel === cancel) this.#schedule();
    });
    this.#cancel = cancel;
  }

  async #extendAll(): Promise<void> {
    const due = this.#due();
    for (let at = 0; at < due.length; at += MAX_BATCH) {
      const batch = due.slice(at, at + MAX_BATCH);
      const { length } = batch;
      // The answer is a number. Some are not in flight any more: each is asked about alone.
      if ((await this.#extend(batch)) !== length && length > 1) for (const one of batch) await this.#extend([one]);
    }
  }

  /** Those that the next check might find too late, and have not been worked on for too long. */
  #due(): OpenDelivery[] {
    const { connection, ackDeadlineMs, maxHandlerMs, open } = this.#options;
    const now = connection.clock.monotonicMs();
    const latest = now + (ackDeadlineMs() * (CHECKS - 1)) / CHECKS;
    return Array.from(open()).filter(
      ({ beganAt, deadline }) => deadline > now && deadline <= latest && now - beganAt < maxHandlerMs,
    );
  }

  /** Returns how many were extended; null when there was no answer, or a refusal, which the group's stream meets as well. */
  async #extend(deliveries: readonly OpenDelivery[]): Promise<number | null> {
    const { connection, group, namespace = connection.namespace, ackDeadlineMs } = this.#options;
    const byMs = ackDeadlineMs();
    const sentAt = connection.clock.monotonicMs();
    const input = JSON.stringify({
      namespace,
      group,
      deliveryIds: deliveries.map(({ deliveryId }) => deliveryId),
      byMs,
    });
    try {
      const timeoutMs = tryLimitMs(input.length, Math.min(connection.timeoutMs, byMs / CHECKS));
      const answer = await callMutation(connection, 'bus.extend', input, { timeoutMs, signals: [connection.closed] });
      const extended = isRecord(answer) ? Number(answer['extended']) : 0;
      if (extended === deliveries.length) for (const delivery of deliveries) delivery.moveDeadline(sentAt + byMs);
      return extended;
    } catch {
      return null;
    }
  }
}
