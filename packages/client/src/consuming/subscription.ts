// Subscribing to topics: every event that matches, in the order of the log, for as long as the reader goes on.
import { type StartFrom, type SubscriptionEvent, SwarmError, type SwarmEvent } from '@hypercode/contracts';
import type { Connection } from '../transport/connection.ts';
import type { OnDenied, Right } from '../transport/denials.ts';
import { safely } from '../transport/emitter.ts';
import { isRecord } from '../transport/json.ts';
import { EventWarnings, messageOf } from '../transport/logger.ts';
import { onAbort } from '../transport/on-abort.ts';
import { whileHandling } from '../publishing/correlation.ts';
import { endable, resumableStream, type StreamOptions } from '../transport/resumable-stream.ts';

export interface SubscribeOptions extends StreamOptions {
  /** Topics and patterns. */
  readonly topics: readonly string[];
  /** Where to begin: with what comes next, with the oldest that is kept, or behind a position. Default `latest`. */
  readonly from?: StartFrom | undefined;
  readonly namespace?: string | undefined;
}

export type Subscription = AsyncIterableIterator<SubscriptionEvent, undefined, undefined>;

/** With `right`, the subscription outlives a denial of the policy. */
export function subscribeTo(connection: Connection, options: SubscribeOptions, right?: Right): Subscription {
  return endable((ended) => subscribe(connection, options, ended, right));
}

async function* subscribe(
  connection: Connection,
  { signal, onInterruption, topics, from, namespace = connection.namespace }: SubscribeOptions,
  ended: AbortSignal,
  right: Right | undefined,
): AsyncGenerator<SubscriptionEvent, undefined, undefined> {
  const input = { topics, from, namespace };
  const request = { path: 'bus.subscribe', input, decode: readSubscriptionEvent, resumesAfter: () => true, right };
  const frames = resumableStream(connection, request, { signal, onInterruption });
  const release = onAbort(ended, () => void frames.return?.());
  let lastEvent: string | undefined;
  try {
    for await (const { value } of frames) {
      if (value.type === 'event') {
        // A resumed stream goes on after its position. An event at that position is a repetition.
        if (value.position === lastEvent) continue;
        lastEvent = value.position;
      }
      yield value;
    }
  } finally {
    release();
  }
}

/** Trusts the core for the inside of events: checking each one again would cost more than reading it. */
function readSubscriptionEvent(json: unknown): SubscriptionEvent | undefined {
  if (!isRecord(json)) throw new TypeError('not a subscription event');
  switch (json['type']) {
    case 'event':
      if (!isRecord(json['event'])) throw new TypeError('an item without an event');
      return json as unknown as SubscriptionEvent;
    case 'gap':
    case 'bookmark':
      return json as unknown as SubscriptionEvent;
    default:
      return undefined;
  }
}

export interface ListenOptions extends Omit<SubscribeOptions, 'topics'> {
  /** Events are missing: removed by the log's limits, or lost with it. */
  readonly onGap?: ((gap: Extract<SubscriptionEvent, { type: 'gap' }>) => void) | undefined;
  /**
   * Called with what the handler threw; the next event follows all the same. Without it, the client's logger receives that, and
   * the refusal that ends the listener.
   */
  readonly onError?: ((error: unknown, event: SwarmEvent) => void) | undefined;
  /**
   * Called when the policy denies the topics, once for each reason. The listener tries again, at least every 30 s, and goes on
   * where it was when the policy allows them. Without it, the client's logger receives that.
   */
  readonly onDenied?: OnDenied | undefined;
}

export interface TopicListener {
  /** Ends it: no event is handed over any more. */
  stop(): void;
  /**
   * Resolves when it has attached: an event that is published from then on reaches it. Rejects when it ends before, and with
   * ACL_DENIED when the policy denies the topics; the listener then attaches when the policy allows them.
   */
  readonly attached: Promise<void>;
  /** Resolves when it has ended; rejects with a refusal that no retry can help. */
  readonly closed: Promise<void>;
  [Symbol.dispose](): void;
}

const FAILED = 'the handler of an event failed';
const about = ({ event, position }: { readonly event: SwarmEvent; readonly position: string }) => ({
  topic: event.topic,
  position,
});

/** Calls `handler` with each event, one at a time and in order. */
export function listenTo(
  connection: Connection,
  topics: string | readonly string[],
  handler: (event: SwarmEvent) => unknown,
  options: ListenOptions = {},
): TopicListener {
  const { onGap, onError, onDenied, ...rest } = options;
  const { clock, logger } = connection;
  const warnings = new EventWarnings(clock, logger);
  const list = typeof topics === 'string' ? [topics] : topics;
  let tellAttached = (): void => {};
  let tellDenied: OnDenied = () => {};
  const right = connection.denials.rightTo({ topics: list }, onDenied);
  const denied: OnDenied = (error) => {
    right.denied(error);
    tellDenied(error);
  };
  const subscription = subscribeTo(connection, { ...rest, topics: list }, { ...right, denied });
  let isStopped = false;
  const run = async (): Promise<void> => {
    for await (const item of subscription) {
      if (isStopped) return;
      // The first is the bookmark, or the event or gap that stands where `from` begins.
      tellAttached();
      if (item.type === 'gap') safely(() => onGap?.(item));
      if (item.type !== 'event') continue;
      try {
        await whileHandling(item.event, connection.correlate, () => handler(item.event));
      } catch (error) {
        if (onError === undefined) warnings.warn(item.event.id, { ...about(item), error: messageOf(error) }, FAILED);
        else safely(() => whileHandling(item.event, connection.correlate, () => onError(error, item.event)));
      }
    }
  };
  const closed = run().finally(() => right.ended());
  const attached = new Promise<void>((resolve, reject) => {
    tellAttached = resolve;
    tellDenied = reject;
    closed.then(() => reject(new SwarmError('UNAVAILABLE', 'the listener ended before it was attached')), reject);
  });
  // A caller that does not use them gets no unhandled rejection.
  for (const promise of [closed, attached]) promise.catch(() => {});
  if (onError === undefined) {
    closed.catch((error: unknown) => {
      const { code, message } = SwarmError.from(error);
      logger.warn({ topics: list.join(' '), code, error: message }, 'a listener receives no more events');
    });
  }
  const stop = (): void => {
    isStopped = true;
    void subscription.return?.();
  };
  return { stop, attached, closed, [Symbol.dispose]: stop };
}
