// Running a handler on the bus: a subscription, or a membership of a group, whose faults end in the log.
import type { SwarmClient, SwarmError, SwarmEvent } from '@hypercode/client';
import type { Logger } from '@nestjs/common';
import { errorText } from './agent-log.ts';
import type { FoundHandler } from './find-handlers.ts';
import type { EventHandler, TaskHandler } from './handler.ts';

export interface HandlerContext {
  readonly client: SwarmClient;
  /** Stands for `{name}`. */
  readonly agentName: string;
  readonly logger: Pick<Logger, 'warn' | 'error'>;
  /** How long `stop` waits for what runs, in milliseconds. */
  readonly drainTimeoutMs: number;
}

export interface RunningHandler {
  readonly where: string;
  /**
   * Resolves when it receives events, as far as that is known, or will later, such as when the policy allows it. Rejects when it
   * never will.
   */
  readonly begun: Promise<void>;
  /** Resolves when it has ended; rejects with a refusal that no retry can help. */
  readonly closed: Promise<void>;
  /** Takes no more events, and waits for those that are being handled. */
  stop(): Promise<void>;
}

export function runHandler({ handler, where, call }: FoundHandler, context: HandlerContext): RunningHandler {
  return handler.kind === 'event' ? listen(handler, where, call, context) : work(handler, where, call, context);
}

type Call = FoundHandler['call'];

function listen(handler: EventHandler, where: string, call: Call, context: HandlerContext): RunningHandler {
  const { client, agentName, logger } = context;
  const { catalogue, options } = handler;
  const topics = handler.topics.map((topic) => withName(topic, agentName));
  let tellLater = (): void => {};
  const later = new Promise<void>((resolve) => (tellLater = resolve));
  const common = {
    from: options.from,
    onError: errorLog(where, context),
    onGap: (gap: Parameters<NonNullable<typeof options.onGap>>[0]) => {
      logger.warn(`${where} has missed events between ${gap.after} and ${gap.resumedAt}: ${gap.reason}`);
      options.onGap?.(gap);
    },
    // It is resumed by itself.
    onInterruption: () => tellLater(),
    onDenied: (error: SwarmError<'ACL_DENIED'>) => {
      denialLog(where, context)(error);
      // Before `attached` rejects.
      tellLater();
    },
  };
  const onInvalid = (event: SwarmEvent, error: SwarmError<'INVALID_INPUT'>): void => {
    logger.warn(`${where} skips ${nameOf(event)}: ${error.message}`);
    options.onInvalid?.(event, error);
  };
  const listener =
    catalogue === undefined
      ? client.on(topics, (event) => call(event), common)
      : client.events(catalogue).on(topics, (event) => call(event), { ...common, onInvalid });
  return {
    where,
    begun: Promise.race([listener.attached, later]),
    closed: listener.closed,
    async stop() {
      listener.stop();
      await listener.closed.catch(() => {});
    },
  };
}

function work(handler: TaskHandler, where: string, call: Call, context: HandlerContext): RunningHandler {
  const { client, agentName, logger, drainTimeoutMs } = context;
  const { catalogue, options } = handler;
  const common = {
    ...options,
    group: withName(handler.group, agentName),
    topics: handler.topics.map((topic) => withName(topic, agentName)),
    onError: errorLog(where, context),
    onDenied: denialLog(where, context),
    onGap: (gap: Parameters<NonNullable<typeof options.onGap>>[0]) => {
      logger.warn(`${where} has missed ${gap.lost} events: ${gap.reason}`);
      options.onGap?.(gap);
    },
  };
  const onInvalid = (event: SwarmEvent, error: SwarmError<'INVALID_INPUT'>): 'ack' | 'nack' | void => {
    const verdict = options.onInvalid?.(event, error);
    // What is given back is logged as an error.
    if (verdict === 'ack') logger.warn(`${where} skips ${nameOf(event)}: ${error.message}`);
    return verdict;
  };
  const consumer =
    catalogue === undefined
      ? client.consume(common, (event, delivery) => call(event, delivery))
      : client.events(catalogue).consume({ ...common, onInvalid }, (event, delivery) => call(event, delivery));
  return {
    where,
    begun: Promise.resolve(),
    closed: consumer.closed,
    stop: () => consumer.stop({ timeoutMs: drainTimeoutMs }),
  };
}

const withName = (text: string, agentName: string): string => text.replaceAll('{name}', agentName);

const nameOf = ({ id, topic }: SwarmEvent): string => `the event ${id} of ${topic}`;

function errorLog(where: string, { logger }: HandlerContext) {
  return (error: unknown, event: SwarmEvent): void => {
    const stack = error instanceof Error ? error.stack : undefined;
    logger.error(`${where} failed to handle ${nameOf(event)}: ${errorText(error)}`, stack);
  };
}

function denialLog(where: string, { logger }: HandlerContext) {
  return (error: SwarmError<'ACL_DENIED'>): void =>
    logger.error(
      `${where} is denied by the policy: ${errorText(error)}; it will be tried again until the policy allows it`,
    );
}
