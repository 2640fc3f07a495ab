// Wake-ups inside one process, for a core that has no other replicas.
import type { Signal, SignalOptions } from './signal.ts';
import { createReport, createSignalListeners } from './signal-listeners.ts';

export function createLocalSignal(options: SignalOptions = {}): Signal {
  const listeners = createSignalListeners(createReport(options));
  let closed = false;
  return {
    notify(channel, except) {
      listeners.wake(channel, except);
    },
    subscribe: (channel, listener) => (closed ? () => undefined : listeners.subscribe(channel, listener)),
    onLinked: () => () => undefined,
    get linked() {
      return !closed;
    },
    async close() {
      closed = true;
      listeners.close();
    },
  };
}
