// Finding the methods that handle events among the providers and controllers of an application.
import { type DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type Handler, handlersOf } from './handler.ts';

export interface FoundHandler {
  readonly handler: Handler;
  /** The class and method, for people. */
  readonly where: string;
  /** Calls the method of its instance. */
  readonly call: (...given: unknown[]) => unknown;
}

type Wrapper = ReturnType<DiscoveryService['getProviders']>[number];

/** @throws TypeError when a method of a class is to handle events that has no single instance. */
export function findHandlers(wrappers: readonly Wrapper[]): FoundHandler[] {
  const scanner = new MetadataScanner();
  const found: FoundHandler[] = [];
  const seen = new Set<object>();
  for (const wrapper of wrappers) {
    if (wrapper.isTransient || !wrapper.isDependencyTreeStatic()) {
      refuseHandlers(wrapper, scanner);
      continue;
    }
    const instance: unknown = wrapper.instance;
    // Several tokens may stand for one instance.
    if (typeof instance !== 'object' || instance === null || seen.has(instance)) continue;
    seen.add(instance);
    for (const name of scanner.getAllMethodNames(prototypeOf(instance))) {
      const call = (...given: unknown[]): unknown => {
        const method: unknown = Reflect.get(instance, name);
        if (typeof method !== 'function') throw new TypeError(`${name} is no longer a method`);
        return Reflect.apply(method, instance, given);
      };
      const where = `${instance.constructor.name}.${name}`;
      for (const handler of handlersOf(Reflect.get(instance, name))) found.push({ handler, where, call });
    }
  }
  return found;
}

function refuseHandlers({ metatype, name }: Wrapper, scanner: MetadataScanner): void {
  const prototype: unknown = metatype?.prototype;
  if (typeof prototype !== 'object' || prototype === null) return;
  for (const method of scanner.getAllMethodNames(prototype)) {
    if (handlersOf(Reflect.get(prototype, method)).length === 0) continue;
    throw new TypeError(`${String(name)}.${method} cannot handle events: its class is not a singleton`);
  }
}

const prototypeOf = (instance: object): object | null => Reflect.getPrototypeOf(instance);
