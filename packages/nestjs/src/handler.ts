// Methods that handle events: what their decorators declare, and the types that follow from it.
import type { ConsumeOptions, EventCatalogue, ListenOptions, SwarmError, SwarmEvent } from '@hypercode/client';
import { SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

/** How a method listens. Callbacks are called in addition to the log. */
export interface OnSwarmEventOptions extends Pick<ListenOptions, 'from' | 'onGap'> {}

/** How a method works as a member of a group. Callbacks are called in addition to the log. */
export interface SwarmTaskOptions extends Pick<
  ConsumeOptions,
  'from' | 'maxInFlight' | 'ackDeadlineMs' | 'maxDeliveries' | 'retryDelayMs' | 'onGap'
> {
  /** Topics and patterns of the group; `{name}` stands for the agent's name. */
  readonly topics: readonly string[];
}

export type OnInvalid<R> = ((event: SwarmEvent, error: SwarmError<'INVALID_INPUT'>) => R) | undefined;

export interface EventHandler {
  readonly kind: 'event';
  readonly topics: readonly string[];
  /** Undefined: data as it comes. */
  readonly catalogue: EventCatalogue | undefined;
  readonly options: OnSwarmEventOptions & { readonly onInvalid?: OnInvalid<void> };
}

export interface TaskHandler {
  readonly kind: 'task';
  readonly group: string;
  readonly topics: readonly string[];
  /** Undefined: data as it comes. */
  readonly catalogue: EventCatalogue | undefined;
  readonly options: Omit<SwarmTaskOptions, 'topics'> & { readonly onInvalid?: OnInvalid<'ack' | 'nack' | void> };
}

export type Handler = EventHandler | TaskHandler;

type Callable<Arguments extends unknown[]> = (...taken: Arguments) => unknown;

/** Methods are compared loosely by the compiler, functions are not: a handler has to take all that it may be given. */
type Takes<Method, Given extends unknown[]> =
  Method extends Callable<infer Taken>
    ? Callable<Taken> extends Callable<Given>
      ? unknown
      : { 'the method does not take': Given }
    : { 'the method does not take': Given };

/** Decorates methods that take `Given`, or fewer of it. */
export type HandlerDecorator<Given extends unknown[]> = <Method extends (...taken: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method> & Takes<Method, Given>,
) => void;

const HANDLERS = 'hypercode:swarm-handlers';
const reflector = new Reflector();

/** What the decorators of a method, if it is one, make of it. */
export function handlersOf(method: unknown): readonly Handler[] {
  return typeof method === 'function' ? (reflector.get<readonly Handler[] | undefined>(HANDLERS, method) ?? []) : [];
}

/** The decorator throws a TypeError on anything but a method of instances. */
export function handles(handler: Handler) {
  return (target: object, key: string | symbol, descriptor: PropertyDescriptor): void => {
    const method: unknown = descriptor.value;
    if (typeof target === 'function' || typeof method !== 'function') {
      throw new TypeError(`${String(key)} cannot handle events: it is not an instance method`);
    }
    SetMetadata(HANDLERS, [...handlersOf(method), handler])(target, key, descriptor);
  };
}
