// Acks and nacks on their way to the core: those of the same kind that are made at the same time travel as one call,
// which is repeated until it is answered. A repetition settles nothing twice.
import { SwarmError } from '@hypercode/contracts';
import { atEndOfTurn } from '#transport';
import { retryDelay } from '../transport/backoff.ts';
import { abortError } from '../transport/bounded.ts';
import { sleep } from '@hypercode/clock';
import { callMutation, type Connection, tryLimitMs } from '../transport/connection.ts';
import { onAbort } from '../transport/on-abort.ts';

/** Less than the core takes (`LIMITS.settledAtOnce`), so that a batch is on its way while others gather. */
const MAX_BATCH = 256;
/** Calls at a time: of one kind, so that no kind keeps the others waiting, and of all kinds. */
const MAX_LANE_REQUESTS = 2;
const MAX_REQUESTS = 8;
/** How long a settlement is tried, in milliseconds. */
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
  /** On the connection's clock. */
  readonly giveUpAt: number;
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
  /** The one that has waited longest for its turn first. */
  readonly #lanes = new Map<string, Lane>();
  /** Calls under way. */
  #requests = 0;
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
    const { clock, closed } = this.#connection;
    if (closed.aborted) return Promise.reject(abortError(closed));
    const path = nack === undefined ? 'bus.ack' : 'bus.nack';
    const fields = { namespace, group, ...nack };
    const key = JSON.stringify([path, fields]);
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = { path, fields, pending: [], requests: 0 }));
    const { pending } = lane;
    const giveUpAt = clock.monotonicMs() + GIVE_UP_MS;
    const settled = new Promise<void>(
      (resolve, reject) => void pending.push({ deliveryId, giveUpAt, resolve, reject }),
    );
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
        if (lane.pending.length === 0 && lane.requests === 0) this.#lanes.delete(key);
        if (lane.pending.length === 0 || lane.requests === MAX_LANE_REQUESTS) continue;
        if (this.#requests === MAX_REQUESTS) return;
        // Behind the others; if it has more to send, its turn comes again.
        this.#lanes.delete(key);
        this.#lanes.set(key, lane);
        void this.#send(lane);
      }
    });
  }

  async #send(lane: Lane): Promise<void> {
    const batch = lane.pending.splice(0, MAX_BATCH);
    lane.requests += 1;
    this.#requests += 1;
    try {
      const input = JSON.stringify({ ...lane.fields, deliveryIds: batch.map((one) => one.deliveryId) });
      await this.#insist(lane, input, Math.max(...batch.map((one) => one.giveUpAt)));
      for (const { resolve } of batch) resolve();
    } catch (thrown) {
      const error = SwarmError.from(thrown);
      for (const { reject } of batch) reject(error);
    }
    lane.requests -= 1;
    this.#requests -= 1;
    this.#wake();
  }

  async #insist({ path }: Lane, input: string, giveUpAt: number): Promise<void> {
    const { clock, closed, timeoutMs } = this.#connection;
    for (let failures = 1; ; failures += 1) {
      const remainingMs = giveUpAt - clock.monotonicMs();
      if (remainingMs <= 0) throw new SwarmError('UNAVAILABLE', `could not be settled within ${GIVE_UP_MS} ms`);
      try {
        await callMutation(this.#connection, path, input, {
          timeoutMs: tryLimitMs(input.length, Math.min(timeoutMs, remainingMs)),
          signals: [this.#cut.signal],
        });
        return;
      } catch (thrown) {
        const refusal = SwarmError.from(thrown);
        const delayMs = retryDelay(refusal, failures, clock.random());
        if (!refusal.retryable || closed.aborted || clock.monotonicMs() + delayMs >= giveUpAt) throw refusal;
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
