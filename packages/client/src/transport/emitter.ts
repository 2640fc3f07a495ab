// A small typed event emitter that runs the same in Node and in browsers.

export type Listener<Args extends unknown[]> = (...args: Args) => void;

export class Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  readonly #listeners: { [Name in keyof Events]?: Set<Listener<Events[Name]>> } = {};

  /** Calls `listener` at each `event` from now on; the returned function ends that. */
  on<Name extends keyof Events>(event: Name, listener: Listener<Events[Name]>): () => void {
    const listeners = (this.#listeners[event] ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  has(event: keyof Events): boolean {
    return (this.#listeners[event]?.size ?? 0) > 0;
  }

  /** A listener that throws harms neither the caller nor the other listeners; its error surfaces as uncaught. */
  emit<Name extends keyof Events>(event: Name, ...args: Events[Name]): void {
    for (const listener of [...(this.#listeners[event] ?? [])]) {
      safely(() => listener(...args));
    }
  }
}

/** Throws uncaught, so that a callback's error is seen and harms nothing else. */
export function surface(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Runs a callback whose error is not the caller's; it surfaces as uncaught. */
export function safely(run: () => void): void {
  try {
    run();
  } catch (error) {
    surface(error);
  }
}
