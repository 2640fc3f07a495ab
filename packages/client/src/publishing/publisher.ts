// Publishing: calls that are made at the same time travel as one request, and each is repeated under the same id until
// the core has answered for it.
//
//   waiting ──room──> queued ──batch──> sent ──result, refusal──> settled
//                       ^                │
//                       └─UNAVAILABLE, RATE_LIMITED, CIRCUIT_OPEN, no answer   after a pause of the whole publisher
//
//   waiting, queued ──publishTimeoutMs──> settled                with CIRCUIT_OPEN when that was in the way
//   waiting, queued, sent ──publishTimeoutMs, signal──> settled  otherwise with UNAVAILABLE
//   waiting, queued ──close──> settled                           with UNAVAILABLE; what was sent may still be answered
//
// Several requests are on their way at a time, so events of different requests may pass one another. An event that is queued again
// keeps its place among all that wait. After a RATE_LIMITED there is one request at a time until everything is settled, so that
// only events that were on their way at that moment pass the refused one.
import { type PublishResult, readRefusal, SwarmError } from '@hypercode/contracts';
import { atEndOfTurn } from '#transport';
import { retryDelay } from '../transport/backoff.ts';
import { abortError } from '../transport/bounded.ts';
import { type Connection, postHot, tryLimitMs } from '../transport/connection.ts';
import { isRecord } from '../transport/json.ts';
import { onAbort } from '../transport/on-abort.ts';
import { correlated, outsideHandlers } from './correlation.ts';
import { type OutgoingEvent, outgoingEvent, type PublishOptions } from './outgoing-event.ts';
import { OwnCircuit } from './own-circuit.ts';
import { PublishRoom } from './publish-room.ts';

/** While the core works on one batch, the next is on its way. Of 64 to 512, 128 did best on average with 500 publishers. */
export const MAX_REQUESTS = 4;
const MAX_BATCH_EVENTS = 128;
/** Less than the core takes (`LIMITS.publishManyBytes`). */
const MAX_BATCH_BYTES = 3.5 * 1024 * 1024;
/** Events that try whether the agent's circuit is closed again: a batch, which is alone on its way. */
const MAX_TRIAL_EVENTS = 8;
/** How long requests may go on when the client is closed, in milliseconds. */
const CLOSE_LIMIT_MS = 2_000;

type State = 'waiting' | 'queued' | 'sent' | 'settled';

interface Entry {
  readonly event: OutgoingEvent;
  readonly number: number;
  /** On the connection's clock. */
  readonly deadline: number;
  readonly resolve: (result: PublishResult) => void;
  readonly reject: (error: SwarmError) => void;
  state: State;
  /** Whether it was sent without an answer that reports its outcome. */
  mayHaveArrived: boolean;
  lastRefusal: SwarmError | undefined;
  /** Stops listening to the caller's signal. */
  release: () => void;
}

export class Publisher {
  readonly #connection: Connection;
  /** The plain route: through tRPC, a request costs the core two fifths more. */
  readonly #url: URL;
  readonly #circuit: OwnCircuit;
  readonly #room: PublishRoom;
  /** Not settled, in the order of their calls, which is that of their deadlines. */
  readonly #open = new Set<Entry>();
  readonly #waiting = new Set<Entry>();
  #queue = new Set<Entry>();
  #count = 0;
  #requests = 0;
  #batchEvents = MAX_BATCH_EVENTS;
  #batchBytes = MAX_BATCH_BYTES;
  #isTurnAwaited = false;
  /** Whether the core limits the rate: from a RATE_LIMITED until everything is settled. */
  #isLimited = false;
  /** Pauses in a row. */
  #failures = 0;
  #pausedUntil = -Infinity;
  /** Why it paused last; undefined since something has been published. */
  #obstacle: SwarmError | undefined;
  #cancelPause: (() => void) | undefined;
  #cancelSweep: (() => void) | undefined;
  #flushes: { upTo: number; done: () => void }[] = [];
  /** Ends what was sent. */
  readonly #cut = new AbortController();

  constructor(connection: Connection, circuit = new OwnCircuit()) {
    this.#connection = connection;
    this.#url = connection.endpoint('v1/events');
    if (connection.namespace !== undefined) this.#url.searchParams.set('namespace', connection.namespace);
    this.#circuit = circuit;
    this.#room = new PublishRoom(connection.publishBuffer);
    circuit.onChange((state) => {
      if (state === 'closed') this.#goOn();
    });
    onAbort(connection.closed, () => this.#close());
  }

  publish(topic: string, data: unknown, options: PublishOptions = {}): Promise<PublishResult> {
    const { closed, clock, publishTimeoutMs } = this.#connection;
    const { signal, correlate = this.#connection.correlate } = options;
    const named = correlate ? correlated(options) : options;
    return new Promise((resolve, reject) => {
      const event = outgoingEvent(topic, data, { ...named, id: options.id ?? clock.newId() });
      if (closed.aborted) return reject(withId(abortError(closed), event.id));
      if (signal?.aborted) return reject(withId(abortError(signal), event.id));
      const hasRoom = this.#waiting.size === 0 && this.#room.take(event.bytes);
      if (!hasRoom && this.#room.whenFull === 'reject') {
        return reject(new SwarmError('RATE_LIMITED', 'too many events are waiting in this client to be published'));
      }
      this.#count += 1;
      const entry: Entry = {
        event,
        number: this.#count,
        deadline: clock.monotonicMs() + publishTimeoutMs,
        resolve,
        reject,
        state: hasRoom ? 'queued' : 'waiting',
        mayHaveArrived: false,
        lastRefusal: undefined,
        release: () => {},
      };
      this.#open.add(entry);
      (hasRoom ? this.#queue : this.#waiting).add(entry);
      if (signal !== undefined) {
        entry.release = onAbort(signal, () => {
          this.#refuse(entry, withId(abortError(signal), event.id));
          this.#afterSettling();
        });
      }
      outsideHandlers(() => {
        this.#armSweep();
        this.#wake();
      });
    });
  }

  /** Resolves when every publish that was called before has settled. */
  flush(): Promise<void> {
    const upTo = this.#count;
    return new Promise((done) => {
      this.#flushes.push({ upTo, done });
      this.#resolveFlushes();
    });
  }

  /** Sends when the turn is over, so that calls of one moment travel together. */
  #wake(): void {
    if (this.#isTurnAwaited || this.#queue.size === 0 || !this.#maySend()) return;
    this.#isTurnAwaited = true;
    atEndOfTurn(() => {
      this.#isTurnAwaited = false;
      while (this.#maySend()) {
        const batch = this.#takeBatch();
        if (batch.length === 0) return;
        void this.#send(batch);
      }
    });
  }

  /** After a failure, one request has to succeed before there are several again. */
  #maySend(): boolean {
    const isAlone = this.#failures > 0 || this.#isLimited || this.#isCircuitInTheWay();
    return this.#cancelPause === undefined && this.#requests < (isAlone ? 1 : MAX_REQUESTS);
  }

  #isCircuitInTheWay(): boolean {
    return this.#connection.whenCircuitOpen === 'pause' && this.#circuit.state !== 'closed';
  }

  #takeBatch(): Entry[] {
    const maxEvents = this.#isCircuitInTheWay() ? Math.min(MAX_TRIAL_EVENTS, this.#batchEvents) : this.#batchEvents;
    const batch: Entry[] = [];
    let bytes = 0;
    for (const entry of this.#queue) {
      bytes += entry.event.bytes + 1;
      if (batch.length === maxEvents || (batch.length > 0 && bytes > this.#batchBytes)) break;
      this.#queue.delete(entry);
      batch.push(entry);
    }
    return batch;
  }

  async #send(batch: readonly Entry[]): Promise<void> {
    const { timeoutMs, publishTimeoutMs } = this.#connection;
    for (const entry of batch) entry.state = 'sent';
    const request = this.#circuit.begin();
    const body = `[${batch.map(({ event }) => event.text).join(',')}]`;
    this.#requests += 1;
    try {
      const output = await postHot(this.#connection, this.#url, body, {
        timeoutMs: tryLimitMs(body.length, Math.min(timeoutMs, publishTimeoutMs)),
        signals: [this.#cut.signal],
      });
      const results = resultsIn(output, batch.length);
      this.#tellCircuit(request, results);
      this.#settle(batch, results);
    } catch (thrown) {
      const refusal = SwarmError.from(thrown);
      this.#tellCircuit(request, [refusal]);
      this.#failed(batch, refusal);
    }
    this.#requests -= 1;
    this.#afterSettling();
  }

  /** What was published got past the circuit; other refusals do not report it. */
  #tellCircuit(request: number, results: readonly (PublishResult | SwarmError)[]): void {
    const refusal = results.findLast((result) => result instanceof SwarmError && result.is('CIRCUIT_OPEN'));
    if (refusal instanceof SwarmError && refusal.is('CIRCUIT_OPEN')) this.#circuit.learnFromRefusal(request, refusal);
    else if (results.some((result) => !(result instanceof SwarmError))) this.#circuit.learn(request, 'closed');
  }

  #settle(batch: readonly Entry[], results: readonly (PublishResult | SwarmError)[]): void {
    const again: Entry[] = [];
    let obstacle: SwarmError | undefined;
    for (const [index, entry] of batch.entries()) {
      const result = results[index];
      if (result === undefined || entry.state !== 'sent') continue;
      if (!(result instanceof SwarmError)) {
        this.#obstacle = undefined;
        entry.resolve(result);
        this.#release(entry);
      } else if (this.#canBeRepeated(result)) {
        wasRefused(entry, result);
        again.push(entry);
        if ((result.retryAfterMs ?? 0) >= (obstacle?.retryAfterMs ?? 0)) obstacle = result;
      } else this.#refuse(entry, result);
    }
    if (again.length < batch.length) {
      this.#failures = 0;
      this.#batchEvents = Math.min(MAX_BATCH_EVENTS, this.#batchEvents * 2);
    }
    this.#sendAgain(again, obstacle);
  }

  /** The batch as a whole got no result. */
  #failed(batch: readonly Entry[], refusal: SwarmError): void {
    const open = batch.filter(({ state }) => state === 'sent');
    if (refusal.is('PAYLOAD_TOO_LARGE') && batch.length > 1) {
      // Something on the way takes less than the core does.
      this.#batchBytes = batch.reduce((sum, { event }) => sum + event.bytes, 0) / 2;
      return this.#sendAgain(open);
    }
    if (!this.#canBeRepeated(refusal)) {
      for (const entry of open) this.#refuse(entry, refusal);
      return;
    }
    // A smaller batch may be within what the core grants at once.
    if (refusal.is('RATE_LIMITED')) this.#batchEvents = Math.max(1, Math.ceil(batch.length / 2));
    for (const entry of open) wasRefused(entry, refusal);
    this.#sendAgain(open, refusal);
  }

  /** In the order of the calls, after a pause where there is an `obstacle`. */
  #sendAgain(entries: Entry[], obstacle?: SwarmError): void {
    const { closed } = this.#connection;
    if (closed.aborted) {
      for (const entry of entries) this.#refuse(entry, withId(abortError(closed), entry.event.id));
      return;
    }
    for (const entry of entries) entry.state = 'queued';
    if (entries.length > 0) this.#queue = new Set([...entries, ...this.#queue].toSorted(byNumber));
    if (obstacle !== undefined) this.#pause(obstacle);
  }

  /** A pause that has begun is made longer by what a refusal asks for, and not by further failures of the same time. */
  #pause(obstacle: SwarmError): void {
    const { clock } = this.#connection;
    this.#obstacle = obstacle;
    if (obstacle.is('RATE_LIMITED')) this.#isLimited = true;
    if (this.#cancelPause === undefined) this.#failures += 1;
    const isFirst = this.#cancelPause === undefined;
    const delayMs = isFirst ? retryDelay(obstacle, this.#failures, clock.random()) : (obstacle.retryAfterMs ?? 0);
    const until = clock.monotonicMs() + delayMs;
    if (!isFirst && until <= this.#pausedUntil) return;
    this.#cancelPause?.();
    this.#pausedUntil = until;
    this.#cancelPause = clock.schedule(delayMs, () => {
      this.#cancelPause = undefined;
      this.#wake();
    });
  }

  /** The circuit is closed: events no longer wait for the time that the refusal asked for. */
  #goOn(): void {
    if (this.#cancelPause === undefined || !this.#obstacle?.is('CIRCUIT_OPEN')) return;
    this.#cancelPause();
    this.#cancelPause = undefined;
    this.#wake();
  }

  /** Whether the same call can succeed soon. */
  #canBeRepeated(refusal: SwarmError): boolean {
    if (refusal.is('CIRCUIT_OPEN')) return this.#connection.whenCircuitOpen === 'pause';
    return refusal.is('UNAVAILABLE') || refusal.is('RATE_LIMITED');
  }

  #refuse(entry: Entry, error: SwarmError): void {
    if (entry.state === 'settled') return;
    entry.reject(error);
    this.#release(entry);
  }

  #release(entry: Entry): void {
    if (entry.state !== 'waiting') this.#room.giveBack(entry.event.bytes);
    entry.state = 'settled';
    entry.release();
    for (const place of [this.#waiting, this.#queue, this.#open]) place.delete(entry);
  }

  /** Takes events that wait for room, goes on sending, and resolves flushes. */
  #afterSettling(): void {
    for (const entry of this.#waiting) {
      if (!this.#room.take(entry.event.bytes)) break;
      this.#waiting.delete(entry);
      entry.state = 'queued';
      this.#queue.add(entry);
    }
    if (this.#open.size === 0) {
      this.#isLimited = false;
      this.#cancelSweep?.();
      this.#cancelSweep = undefined;
    }
    this.#resolveFlushes();
    this.#wake();
  }

  #resolveFlushes(): void {
    if (this.#flushes.length === 0) return;
    const [oldest] = this.#open;
    const isDone = ({ upTo }: { upTo: number }): boolean => oldest === undefined || oldest.number > upTo;
    const done = this.#flushes.filter(isDone);
    this.#flushes = this.#flushes.filter((flush) => !isDone(flush));
    for (const flush of done) flush.done();
  }

  /** One timer for all: that of the oldest. */
  #armSweep(): void {
    const [oldest] = this.#open;
    const { clock, publishTimeoutMs } = this.#connection;
    if (oldest === undefined || this.#cancelSweep !== undefined || !Number.isFinite(publishTimeoutMs)) return;
    this.#cancelSweep = clock.schedule(Math.max(0, oldest.deadline - clock.monotonicMs()), () => {
      this.#cancelSweep = undefined;
      this.#sweep();
      this.#armSweep();
    });
  }

  #sweep(): void {
    const now = this.#connection.clock.monotonicMs();
    for (const entry of this.#open) {
      if (entry.deadline > now) break;
      this.#refuse(entry, this.#timeoutOf(entry));
    }
    this.#afterSettling();
  }

  #timeoutOf({ event: { id }, state, mayHaveArrived, lastRefusal }: Entry): SwarmError {
    const { publishTimeoutMs } = this.#connection;
    const cause = lastRefusal ?? this.#obstacle;
    const because = cause === undefined ? '' : `: ${cause.message}`;
    if (mayHaveArrived || state === 'sent') {
      const message = `no answer within ${publishTimeoutMs} ms; the outcome is unknown${because}`;
      return new SwarmError('UNAVAILABLE', message, { details: { id }, cause });
    }
    if (cause?.is('CIRCUIT_OPEN')) {
      const { message, details, retryAfterMs } = cause;
      return new SwarmError('CIRCUIT_OPEN', `could not be published within ${publishTimeoutMs} ms: ${message}`, {
        details: { ...(isRecord(details) ? details : {}), id },
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
        cause,
      });
    }
    return new SwarmError('UNAVAILABLE', `could not be sent within ${publishTimeoutMs} ms${because}`, {
      details: { id },
      cause,
    });
  }

  #close(): void {
    const { clock, closed } = this.#connection;
    this.#cancelPause?.();
    this.#cancelPause = undefined;
    const reason = abortError(closed);
    for (const entry of this.#open) {
      if (entry.state !== 'sent') this.#refuse(entry, withId(reason, entry.event.id));
    }
    this.#afterSettling();
    if (this.#requests === 0) return;
    const cancel = clock.schedule(CLOSE_LIMIT_MS, () => this.#cut.abort(reason));
    void this.flush().then(cancel);
  }
}

const byNumber = (a: Entry, b: Entry): number => a.number - b.number;

function wasRefused(entry: Entry, refusal: SwarmError): void {
  entry.lastRefusal = refusal;
  // The other refusals come before the log.
  if (refusal.is('UNAVAILABLE')) entry.mayHaveArrived = true;
}

/** UNAVAILABLE with the id to publish the event again with; any other refusal as it is. */
function withId(error: SwarmError, id: string): SwarmError {
  if (!error.is('UNAVAILABLE')) return error;
  return new SwarmError('UNAVAILABLE', error.message, { details: { id }, cause: error.cause });
}

/** The results of a batch; what does not answer for each of the events is no answer. */
function resultsIn(output: unknown, count: number): (PublishResult | SwarmError)[] {
  const results = isRecord(output) ? output['results'] : undefined;
  if (!Array.isArray(results) || results.length !== count) {
    throw new SwarmError('UNAVAILABLE', 'the answer does not contain a result for each event');
  }
  return results.map((result: unknown) => {
    if (!isRecord(result)) throw new SwarmError('UNAVAILABLE', 'the answer contains an invalid result');
    if (!('error' in result)) return result as unknown as PublishResult;
    return readRefusal(result['error']) ?? SwarmError.from(result['error']);
  });
}
