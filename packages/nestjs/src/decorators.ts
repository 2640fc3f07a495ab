// The decorators of methods that handle events, for any topic and data or bound to a catalogue.
import type {
  CatalogueTopic,
  Delivery,
  EventCatalogue,
  SwarmEvent,
  TypedConsumeOptions,
  TypedEvent,
  TypedListenOptions,
} from '@hypercode/client';
import { type HandlerDecorator, handles, type OnSwarmEventOptions, type SwarmTaskOptions } from './handler.ts';

/**
 * The method receives each event of the topics and patterns, one at a time and in order; `{name}` in a topic stands for the
 * agent's name. What it throws is logged.
 */
export function OnSwarmEvent(
  topics: string | readonly string[],
  options: OnSwarmEventOptions = {},
): HandlerDecorator<[event: SwarmEvent]> {
  return handles({ kind: 'event', topics: listOf(topics), catalogue: undefined, options });
}

/**
 * The method works as a member of a consumer group: an event is acknowledged when it returns, and given back when it
 * throws, which is logged. `{name}` in the group and in topics stands for the agent's name.
 */
export function SwarmTask(
  group: string,
  { topics, ...options }: SwarmTaskOptions,
): HandlerDecorator<[event: SwarmEvent, delivery: Delivery]> {
  return handles({ kind: 'task', group, topics, catalogue: undefined, options });
}

/** What a handler of these topics receives: `{name}` is one token, as `*` is. */
type Received<C extends EventCatalogue, T extends string> = TypedEvent<C, WithAnyName<T>>;
type WithAnyName<T extends string> = T extends `${infer Before}{name}${infer After}` ? `${Before}*${After}` : T;

export interface TypedOnSwarmEventOptions extends OnSwarmEventOptions, Pick<TypedListenOptions, 'onInvalid'> {}

export interface TypedSwarmTaskOptions<T extends string>
  extends Omit<SwarmTaskOptions, 'topics'>, Pick<TypedConsumeOptions<T>, 'topics' | 'onInvalid'> {}

export interface SwarmEventDecorators<C extends EventCatalogue> {
  /** As `OnSwarmEvent`; an event that does not fit its topic's schema is logged and skipped. */
  OnSwarmEvent<const T extends CatalogueTopic<C>>(
    topics: T | readonly T[],
    options?: TypedOnSwarmEventOptions,
  ): HandlerDecorator<[event: Received<C, T>]>;
  /** As `SwarmTask`; an event that does not fit its topic's schema is logged and given back, unless `onInvalid` decides otherwise. */
  SwarmTask<const T extends CatalogueTopic<C>>(
    group: string,
    options: TypedSwarmTaskOptions<T>,
  ): HandlerDecorator<[event: Received<C, T>, delivery: Delivery]>;
}

/**
 * The decorators for the topics of a catalogue: the compiler holds the methods to the data of their topics, and data is
 * checked against the topic's schema before they receive it.
 */
export function swarmEvents<C extends EventCatalogue>(catalogue: C): SwarmEventDecorators<C> {
  return {
    OnSwarmEvent: (topics, options = {}) => handles({ kind: 'event', topics: listOf(topics), catalogue, options }),
    SwarmTask: (group, { topics, ...options }) => handles({ kind: 'task', group, topics, catalogue, options }),
  };
}

const listOf = (topics: string | readonly string[]): readonly string[] =>
  typeof topics === 'string' ? [topics] : topics;
