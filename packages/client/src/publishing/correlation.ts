// What an event has of the event that led to it: published by the handler of another event, it belongs to the same conversation.
import type { SwarmEvent } from '@hypercode/contracts';
import { asyncContext } from '#transport';
import type { PublishOptions } from './outgoing-event.ts';

/** What `publish` sets on an event that another one led to. */
export interface Correlation {
  readonly correlationId: string;
  readonly causationId: string;
  readonly traceparent?: string | undefined;
}

/** The event that is being handled; null where the client is not to set anything. One for all clients of the process. */
const handled = asyncContext<Correlation | null>();

/**
 * The options of `publish` for an event that `event` led to: `causationId` is its id, `correlationId` is its own `correlationId` or,
 * where it has none, its id, and `traceparent` is its own.
 *
 * Handlers need it in browsers only: in Node.js the client sets the same by itself. A loop over `subscribe` or `deliveries` needs it
 * everywhere.
 */
export const causedBy = ({
  id,
  correlationId = id,
  traceparent,
}: Pick<SwarmEvent, 'id' | 'correlationId' | 'traceparent'>): Correlation => ({
  correlationId,
  causationId: id,
  ...(traceparent === undefined ? {} : { traceparent }),
});

/** Calls the handler of `event`: what it publishes was caused by that event, unless `correlate` is false. */
export const whileHandling = <R>(event: SwarmEvent, correlate: boolean, handle: () => R): R =>
  handled.run(correlate ? causedBy(event) : null, handle);

/** Calls `begin` as if no event was being handled. What the client begins for later must not belong to the event of this moment. */
export const outsideHandlers = <R>(begin: () => R): R => handled.run(null, begin);

/** The options with what the event that is being handled adds. */
export function correlated(options: PublishOptions): PublishOptions {
  const cause = handled.current() ?? null;
  if (cause === null) return options;
  return {
    ...options,
    correlationId: options.correlationId ?? cause.correlationId,
    causationId: options.causationId ?? cause.causationId,
    traceparent: options.traceparent ?? cause.traceparent,
  };
}
