// Working as a member of a consumer group: each event is handed to a handler, acknowledged when that returns, and given
// back when it throws.
//
//   delivered ──handler returns──> acked
//             ──handler throws───> nacked, with the error's message; the group delivers it again after a delay, or
//                                  gives up on it
//             ──maxHandlerMs─────> its signal is aborted; the group delivers it to another member
//
// As long as a handler runs, the deadline of its delivery is extended, for at most `maxHandlerMs`. A process that hangs or dies
// extends nothing.
//
// A delivery past its deadline no longer counts against `maxInFlight`, so the group sends another. While some handlers
// hang, the deliveries wait here for a place; when their deadline passes, they are not begun, since they belong to another
// member. If every handler hangs, all deliveries would end as dead letters without ever being processed. To avoid that, the
// consumer leaves the group once all of its places are lost (half a deadline after the last one expired), and joins it
// again when a place is free.
import { type GroupEvent, type GroupStart, LIMITS, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import { sleep } from '@hypercode/clock';
import type { Connection } from '../transport/connection.ts';
import type { OnDenied, Right } from '../transport/denials.ts';
import { safely, surface } from '../transport/emitter.ts';
import { isRecord } from '../transport/json.ts';
import { EventWarnings, messageOf } from '../transport/logger.ts';
import { onAbort } from '../transport/on-abort.ts';
import { endable, resumableStream, type StreamOptions } from '../transport/resumable-stream.ts';
import { outsideHandlers, whileHandling } from '../publishing/correlation.ts';
import { Extensions } from './extensions.ts';
import { growingDelay, type GrowingDelay, type RedeliveryDelay } from './redelivery-delay.ts';
import { RunningDelivery } from './running-delivery.ts';
import type { SettleQueue } from './settle-queue.ts';

export interface DeliveriesOptions extends StreamOptions {
  readonly group: string;
  /**
   * Topics and patterns of the group. The first call makes it and needs them; a later one that leaves out topics, deadline or attempts
   * takes those of the group, and one that differs is refused with CONFLICT, unless the group was made with what it names.
   */
  readonly topics?: readonly string[] | undefined;
  /** The `groupId` of an earlier `joined`: when that group was deleted, the stream ends with NOT_FOUND and does not make it again. */
  readonly groupId?: string | undefined;
  /** `self`: the group is the agent's own, and is removed when the agent is gone and nothing is left to do in it. */
  readonly ownedBy?: 'self' | undefined;
  /** Where a new group begins: at the end of the log, at its oldest event, or at a time. Default `latest`. */
  readonly from?: GroupStart | undefined;
  /** Names this member of the group. Default: a new name. */
  readonly consumer?: string | undefined;
  /** Most deliveries that are open at a time. Default 16. */
  readonly maxInFlight?: number | undefined;
  /**
   * Milliseconds until an event that is neither acknowledged nor extended is given to another. Default: the group's, and 30,000 for a
   * new one.
   */
  readonly ackDeadlineMs?: number | undefined;
  /** Deliveries of an event before it becomes a dead letter. Default: the group's, and 5 for a new one. */
  readonly maxDeliveries?: number | undefined;
  readonly namespace?: string | undefined;
}

export type Deliveries = AsyncIterableIterator<GroupEvent, undefined, undefined>;
export type GroupGap = Extract<GroupEvent, { type: 'gap' }>;
type GroupDelivery = Extract<GroupEvent, { type: 'delivery' }>;

export interface ConsumeOptions extends DeliveriesOptions {
  /**
   * How long an event waits after its handler threw: milliseconds (0: not at all), `{ firstMs, maxMs }` for a delay that doubles
   * with each attempt, or a function of the attempt (1 for the first) and the error. Default: 1 s that doubles to 60 s, of which
   * jitter takes off less than half. While it waits, the event takes no place of `maxInFlight`. A consumer that stops gives events
   * back without a delay that grows, so that another member receives them.
   */
  readonly retryDelayMs?: RedeliveryDelay | undefined;
  /**
   * For how long the deadline of a delivery is extended while its handler runs, in milliseconds; then the handler's signal is aborted
   * at the deadline, and the event goes to another member. Default 3,600,000, an hour. 0: nothing is extended.
   */
  readonly maxHandlerMs?: number | undefined;
  /** The group was overtaken by the log's limits: events went by unread. */
  readonly onGap?: ((gap: GroupGap) => void) | undefined;
  /**
   * Called with what a handler threw, and with the failure of acks and nacks: those events are delivered again. Without it, the
   * client's logger receives that, and the refusal that ends the consumer.
   */
  readonly onError?: ((error: unknown, event: SwarmEvent) => void) | undefined;
  /**
   * Called when the policy denies the group or its topics, once for each reason. The consumer tries again, at least every 30 s,
   * and goes on when the policy allows them. Without it, the client's logger receives that.
   */
  readonly onDenied?: OnDenied | undefined;
}

export interface Delivery {
  readonly deliveryId: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly position: string;
  /** Aborted when the deadline passes because it is not extended any more, and when the consumer does not wait any longer. */
  readonly signal: AbortSignal;
  /** Lets another delivery begin in the place of this one, which from now on only waits for what is done elsewhere. */
  readonly leavePlace: () => void;
}

export type DeliveryHandler = (event: SwarmEvent, delivery: Delivery) => unknown;

export interface Consumer {
  /** Deliveries that are being handled. */
  readonly running: number;
  /**
   * Takes no more deliveries, and waits for the running handlers and their acks. After `timeoutMs` (default 10,000)
   * their signals are aborted, and it waits no longer.
   */
  stop(options?: { readonly timeoutMs?: number | undefined }): Promise<void>;
  /** Resolves when it has stopped; rejects with a refusal that no retry can help. */
  readonly closed: Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

const DEFAULT_MAX_IN_FLIGHT = 16;
const DEFAULT_ACK_DEADLINE_MS = 30_000;
const DEFAULT_MAX_HANDLER_MS = 3_600_000;
const DEFAULT_STOP_LIMIT_MS = 10_000;
/** How long after its deadline a handler that still runs counts as lost, in deadlines. */
const LOST_AFTER_THE_DEADLINE = 0.5;
/** The longest that the core lets an event wait. */
const MAX_DELAY_MS = 86_400_000;

/** The deliveries as they come, for callers that acknowledge by hand. With `right`, they outlive a denial of the policy. */
export function deliveriesOf(connection: Connection, options: DeliveriesOptions, right?: Right): Deliveries {
  return endable((ended) => deliver(connection, options, ended, right));
}

async function* deliver(
  connection: Connection,
  { signal, onInterruption, ...options }: DeliveriesOptions,
  ended: AbortSignal,
  right: Right | undefined,
): AsyncGenerator<GroupEvent, undefined, undefined> {
  const { group, topics, from, maxInFlight, ackDeadlineMs, maxDeliveries, ownedBy } = options;
  const { namespace = connection.namespace, consumer = connection.clock.newId() } = options;
  // The same name over all connections, so that what is open counts when the stream is resumed.
  const fields = { namespace, group, topics, from, consumer, maxInFlight, ackDeadlineMs, maxDeliveries, ownedBy };
  // A connection that comes back names the group that the last one joined, so that a deleted group is not made again.
  let { groupId } = options;
  const input = () => ({ ...fields, groupId });
  // A consumer that stops gives back what it holds; what it holds is bounded by `maxInFlight`.
  const request = { path: 'bus.consume', input, decode: readGroupEvent, resumesAfter: () => false, right };
  const frames = resumableStream(connection, request, { signal, onInterruption });
  const release = onAbort(ended, () => void frames.return?.());
  try {
    for await (const { value } of frames) {
      if (value.type === 'joined') groupId = value.groupId ?? undefined;
      yield value;
    }
  } finally {
    release();
  }
}

function readGroupEvent(json: unknown): GroupEvent | undefined {
  if (!isRecord(json)) throw new TypeError('not a group event');
  switch (json['type']) {
    case 'delivery':
      if (!isRecord(json['event']) || typeof json['deliveryId'] !== 'string') throw new TypeError('not a delivery');
      return json as unknown as GroupEvent;
    case 'joined':
    case 'gap':
    case 'bookmark':
      return json as unknown as GroupEvent;
    default:
      return undefined;
  }
}

interface Waiting {
  readonly item: GroupDelivery;
  /** On the connection's clock, as all times here. */
  readonly deadline: number;
}

export class GroupConsumer implements Consumer {
  readonly closed: Promise<void>;
  readonly #connection: Connection;
  readonly #settleQueue: SettleQueue;
  readonly #options: ConsumeOptions;
  readonly #handler: DeliveryHandler;
  readonly #onLoad: () => void;
  readonly #warnings: EventWarnings;
  readonly #right: Right;
  /** What the group said when this member joined. */
  #joined: { readonly groupId: string | undefined; readonly ackDeadlineMs: number } | undefined;
  /** What the group gives now. */
  #deliveries: Deliveries;
  /** What has come while there was no place, by delivery; the oldest first. */
  readonly #waiting = new Map<string, Waiting>();
  /** What is being handled, by delivery. */
  readonly #running = new Map<string, RunningDelivery>();
  /** Those that have left their places. */
  readonly #aside = new Map<string, RunningDelivery>();
  /** End it, for whatever reason. */
  readonly #ends: readonly AbortSignal[];
  /** Whether all places were lost. */
  #isLost = false;
  #cancelWatch: () => void = () => {};
  readonly #extensions: Extensions | null;
  /** Aborted by `stop`, without a reason. */
  readonly #stopping = new AbortController();
  #stopLimitMs = DEFAULT_STOP_LIMIT_MS;
  /** Called when a handler has ended, or there is no more to come. */
  #goOn: () => void = () => {};

  /** `onLoad` is called whenever `running` has changed. */
  constructor(
    connection: Connection,
    settleQueue: SettleQueue,
    options: ConsumeOptions,
    handler: DeliveryHandler,
    onLoad: () => void = () => {},
  ) {
    this.#connection = connection;
    this.#settleQueue = settleQueue;
    // One name over all that it opens, as over the connections of one.
    this.#options = { ...options, consumer: options.consumer ?? connection.clock.newId() };
    this.#handler = handler;
    this.#onLoad = onLoad;
    this.#warnings = new EventWarnings(connection.clock, connection.logger);
    const { signal } = options;
    this.#ends = [this.#stopping.signal, connection.closed, ...(signal === undefined ? [] : [signal])];
    this.#right = connection.denials.rightTo(options, options.onDenied);
    const { group, namespace, maxHandlerMs = DEFAULT_MAX_HANDLER_MS } = options;
    const open = () => [...this.#running.values(), ...this.#aside.values()];
    const extended = { connection, group, namespace, maxHandlerMs, open, ackDeadlineMs: () => this.#ackDeadlineMs };
    this.#extensions = maxHandlerMs === 0 ? null : new Extensions(extended);
    this.#deliveries = deliveriesOf(connection, this.#options, this.#right);
    this.closed = this.#run();
    // A caller that does not use it gets no unhandled rejection.
    this.closed.catch((error: unknown) => {
      if (options.onError !== undefined) return;
      const { code, message } = SwarmError.from(error);
      connection.logger.warn({ group: options.group, code, error: message }, 'a consumer receives no more deliveries');
    });
  }

  get running(): number {
    return this.#running.size;
  }

  get maxInFlight(): number {
    return this.#options.maxInFlight ?? DEFAULT_MAX_IN_FLIGHT;
  }

  async stop({ timeoutMs = DEFAULT_STOP_LIMIT_MS }: { readonly timeoutMs?: number | undefined } = {}): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopLimitMs = timeoutMs;
      this.#stopping.abort();
      void this.#deliveries.return?.();
    }
    await this.closed.catch(() => {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #run(): Promise<void> {
    const releases = this.#ends.map((end) => onAbort(end, () => this.#goOn()));
    try {
      while (await this.#take()) {
        this.#waiting.clear();
        while (this.#isFull && !this.#isEnding) await this.#nextChange();
        if (this.#isEnding) break;
        this.#deliveries = deliveriesOf(this.#connection, { ...this.#options, groupId: this.#groupId }, this.#right);
      }
    } finally {
      for (const release of releases) release();
      this.#waiting.clear();
      this.#cancelWatch();
      this.#right.ended();
      await this.#finish();
      this.#extensions?.end();
    }
  }

  get #groupId(): string | undefined {
    return this.#joined?.groupId ?? this.#options.groupId;
  }

  /** How long the group gives for a delivery, in milliseconds. */
  get #ackDeadlineMs(): number {
    return this.#joined?.ackDeadlineMs ?? this.#options.ackDeadlineMs ?? DEFAULT_ACK_DEADLINE_MS;
  }

  get #isEnding(): boolean {
    return this.#ends.some(({ aborted }) => aborted);
  }

  /** Begins what is delivered, until there is no more (false) or all places are lost (true). */
  async #take(): Promise<boolean> {
    const { onGap } = this.#options;
    const { clock } = this.#connection;
    this.#isLost = false;
    for await (const item of this.#deliveries) {
      if (this.#stopping.signal.aborted) return false;
      if (item.type === 'joined') {
        const { groupId, settings } = item;
        this.#joined = { groupId: groupId ?? undefined, ackDeadlineMs: settings.ackDeadlineMs };
      }
      if (item.type === 'gap') safely(() => onGap?.(item));
      if (item.type === 'delivery') {
        this.#waiting.set(item.deliveryId, { item, deadline: clock.monotonicMs() + this.#ackDeadlineMs });
        this.#fillPlaces();
      }
    }
    return this.#isLost;
  }

  #fillPlaces(): void {
    const now = this.#connection.clock.monotonicMs();
    for (const [deliveryId, waiting] of this.#waiting) {
      const isOver = waiting.deadline <= now || this.#running.has(deliveryId) || this.#aside.has(deliveryId);
      if (!isOver && (this.#isFull || this.#isEnding)) break;
      this.#waiting.delete(deliveryId);
      if (!isOver) this.#begin(waiting);
    }
    this.#watchPlaces();
  }

  /** Ends what the group gives when all places are lost. */
  #watchPlaces(): void {
    this.#cancelWatch();
    if (!this.#isFull || this.#isLost) return;
    const { clock } = this.#connection;
    const lastDeadline = Math.max(...Array.from(this.#running.values(), ({ deadline }) => deadline));
    const lostAt = lastDeadline + this.#ackDeadlineMs * LOST_AFTER_THE_DEADLINE;
    if (lostAt > clock.monotonicMs()) {
      this.#cancelWatch = clock.schedule(lostAt - clock.monotonicMs(), () => this.#watchPlaces());
      return;
    }
    this.#isLost = true;
    void this.#deliveries.return?.();
  }

  get #isFull(): boolean {
    return this.#running.size >= this.maxInFlight;
  }

  /** Resolves when a handler has ended, or there is no more to come. */
  #nextChange(): Promise<void> {
    return new Promise((resolve) => (this.#goOn = resolve));
  }

  #begin({ item, deadline }: Waiting): void {
    const { clock, closed } = this.#connection;
    const { deliveryId } = item;
    const running = new RunningDelivery(clock, closed, { deliveryId, deadline });
    this.#running.set(deliveryId, running);
    const leavePlace = (): void => {
      if (!this.#running.delete(deliveryId)) return;
      this.#aside.set(deliveryId, running);
      outsideHandlers(() => this.#placeIsFree());
    };
    running.done = this.#handle(item, running.signal, leavePlace).finally(() => {
      running.end();
      if (!this.#aside.delete(deliveryId) && this.#running.delete(deliveryId)) this.#placeIsFree();
    });
    this.#onLoad();
  }

  #placeIsFree(): void {
    this.#onLoad();
    this.#fillPlaces();
    this.#goOn();
  }

  /** Never rejects. */
  async #handle(item: GroupDelivery, signal: AbortSignal, leavePlace: () => void): Promise<void> {
    const { event, deliveryId, attempt, position } = item;
    const { group, namespace } = this.#options;
    let nack: { delayMs: number; reason: string } | undefined;
    try {
      const delivery = { deliveryId, attempt, position, signal, leavePlace };
      await whileHandling(event, this.#connection.correlate, () => this.#handler(event, delivery));
    } catch (error) {
      nack = { delayMs: this.#delayAfter(attempt, error), reason: reasonOf(error) };
      this.#report(error, item, 'the handler of a delivery failed');
    }
    try {
      await this.#settleQueue.settle({ namespace, group, deliveryId, ...(nack === undefined ? {} : { nack }) });
    } catch (error) {
      this.#report(error, item, 'a delivery could not be acknowledged or given back');
    }
  }

  #report(error: unknown, { event, position, attempt }: GroupDelivery, message: string): void {
    const { group, onError } = this.#options;
    const { correlate } = this.#connection;
    if (onError !== undefined) safely(() => whileHandling(event, correlate, () => onError(error, event)));
    // What is given back at the end goes to another member.
    else if (!this.#isEnding)
      this.#warnings.warn(event.id, { group, topic: event.topic, position, attempt, error: messageOf(error) }, message);
  }

  #delayAfter(attempt: number, error: unknown): number {
    const { retryDelayMs = {} } = this.#options;
    try {
      const delayMs =
        typeof retryDelayMs === 'function'
          ? retryDelayMs(attempt, error)
          : typeof retryDelayMs === 'number'
            ? retryDelayMs
            : this.#growingDelay(attempt, retryDelayMs);
      return Number.isNaN(delayMs) ? 0 : Math.min(Math.max(0, Math.round(delayMs)), MAX_DELAY_MS);
    } catch (own) {
      surface(own);
      return 0;
    }
  }

  #growingDelay(attempt: number, delay: GrowingDelay): number {
    return this.#isEnding ? 0 : growingDelay(attempt, this.#connection.clock.random(), delay);
  }

  async #finish(): Promise<void> {
    const { clock, closed } = this.#connection;
    const patience = new AbortController();
    // Nothing is acknowledged any more when the client is closed.
    const release = onAbort(closed, () => patience.abort());
    const handlers = [...this.#running.values(), ...this.#aside.values()];
    const all = Promise.all(handlers.map(({ done }) => done)).then(() => true);
    const limit = sleep(clock, this.#stopLimitMs, patience.signal).then(() => false);
    const haveEnded = await Promise.race([all, limit]);
    release();
    patience.abort();
    if (haveEnded) return;
    for (const handler of handlers) handler.abort(new SwarmError('UNAVAILABLE', 'the consumer was stopped'));
  }
}

/** What the core can keep as a reason, whatever was thrown. */
const reasonOf = (error: unknown): string =>
  messageOf(error).replaceAll('\0', '').slice(0, LIMITS.reasonLength).toWellFormed();
