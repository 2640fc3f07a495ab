// Acks and nacks on their way to the core: those of the same kind that are made at the same time travel as one call,
// which is repeated until it is answered. A repetition settles nothing twice.
import { SwarmError } from '@hypercode/contracts';
import { atEndOfTurn } from '#transport';
import { retryDelay } from './backoff.ts';
import { abortError } from './bounded.ts';
import { sleep } from './clock.ts';
import { callMutation, type Connection } from './connection.ts';
import { onAbort } from './on-abort.ts';

/** Less than the core takes (`LIMITS.settledAtOnce`), so that a batch is on its way while others gather. */
const MAX_BATCH = 256;
/** Calls of one kind at a time. */
const MAX_REQUESTS = 2;
/** How long a call is repeated, in milliseconds. */
const GIVE_UP_MS = 30_000;
/** How long calls may go on when the client is closed, in milliseconds. */
const CLOSE_LIMIT_MS = 2_000;

export interface Settlement {
  readonly namespace: string | undefined;
  readonly group: string;
  readonly deliveryId: string;
  /** Present for a nack. */
  readonly nack?: { readonly delayMs: number; readonly reason: string };
}

interface Pending {
  readonly deliveryId: string;
  readonly resolve: () => void;
  readonly reject: (error: SwarmError) => void;
}

/** Settlements that differ in nothing but the delivery. */
interface Lane {
  readonly path: 'bus.ack' | 'bus.nack';
  readonly fields: Readonly<Record<string, unknown>>;
  pending: Pending[];
  requests: number;
}

export class SettleQueue {
  readonly #connection: Connection;
  readonly #lanes = new Map<string, Lane>();
  /** Not answered yet. */
  readonly #open = new Set<Promise<void>>();
  /** Ends what was sent. */
  readonly #cut = new AbortController();
  #isTurnAwaited = false;

  constructor(connection: Connection) {
    this.#connection = connection;
    onAbort(connection.closed, () => this.#close());
  }

  /** Resolves when the core has it; rejects with a refusal, or with UNAVAILABLE when there was no answer for 30 s. */
  settle({ namespace = this.#connection.namespace, group, deliveryId, nack }: Settlement): Promise<void> {
    const { closed } = this.#connection;
    if (closed.aborted) return Promise.reject(abortError(closed));
    const path = nack === undefined ? 'bus.ack' : 'bus.nack';
    const fields = { namespace, group, ...nack };
    const key = JSON.stringify([path, fields]);
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = { path, fields, pending: [], requests: 0 }));
    const { pending } = lane;
    const settled = new Promise<void>((resolve, reject) => void pending.push({ deliveryId, resolve, reject }));
    this.#open.add(settled);
    const forget = (): void => void this.#open.delete(settled);
    settled.then(forget, forget);
    this.#wake();
    return settled;
  }

  /** Resolves when all that was settled before is answered. */
  async flush(): Promise<void> {
    await Promise.allSettled(this.#open);
  }

  #wake(): void {
    if (this.#isTurnAwaited) return;
    this.#isTurnAwaited = true;
    atEndOfTurn(() => {
      this.#isTurnAwaited = false;
      for (const [key, lane] of this.#lanes) {
        while (lane.pending.length > 0 && lane.requests < MAX_REQUESTS) void this.#send(lane);
        if (lane.pending.length === 0 && lane.requests === 0) this.#lanes.delete(key);
      }
    });
  }

  async #send(lane: Lane): Promise<void> {
    const batch = lane.pending.splice(0, MAX_BATCH);
    lane.requests += 1;
    try {
      await this.#insist(lane, JSON.stringify({ ...lane.fields, deliveryIds: batch.map((one) => one.deliveryId) }));
      for (const { resolve } of batch) resolve();
    } catch (thrown) {
      const error = SwarmError.from(thrown);
      for (const { reject } of batch) reject(error);
    }
    lane.requests -= 1;
    this.#wake();
  }

  async #insist({ path }: Lane, input: string): Promise<void> {
    const { clock, closed, timeoutMs } = this.#connection;
    const giveUpAt = clock.now() + GIVE_UP_MS;
    for (let failures = 1; ; failures += 1) {
      try {
        const remainingMs = Math.max(1, giveUpAt - clock.now());
        await callMutation(this.#connection, path, input, {
          timeoutMs: Math.min(timeoutMs, remainingMs),
          signals: [this.#cut.signal],
        });
        return;
      } catch (thrown) {
        const refusal = SwarmError.from(thrown);
        const delayMs = retryDelay(refusal, failures, clock.random());
        if (!refusal.retryable || closed.aborted || clock.now() + delayMs >= giveUpAt) throw refusal;
        await sleep(clock, delayMs, closed);
        if (closed.aborted) throw refusal;
      }
    }
  }

  #close(): void {
    const { clock, closed } = this.#connection;
    const reason = abortError(closed);
    for (const lane of this.#lanes.values()) {
      for (const { reject } of lane.pending.splice(0)) reject(reason);
    }
    if (this.#lanes.size === 0) return;
    const cancel = clock.schedule(CLOSE_LIMIT_MS, () => this.#cut.abort(reason));
    void this.flush().then(cancel);
  }
}
