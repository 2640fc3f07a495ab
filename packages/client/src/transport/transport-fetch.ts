// What `#transport` is outside of Node.js.
import type { AsyncContext } from './async-context.ts';
import { fetchTransport, type Transport, type TransportOptions } from './transport.ts';

export const openTransport = (options: TransportOptions): Transport =>
  fetchTransport((input, init) => globalThis.fetch(input, init), options);

/** Browsers cannot tell after an `await` which call it belongs to. */
export const asyncContext = <T>(): AsyncContext<T> => ({ run: (_value, call) => call(), current: () => undefined });

/** Runs `run` once all that is happening at this moment has happened. */
export function atEndOfTurn(run: () => void): void {
  // A message arrives without the delay that nested timers have.
  const { port1, port2 } = new MessageChannel();
  port2.addEventListener(
    'message',
    () => {
      port1.close();
      run();
    },
    { once: true },
  );
  port2.start();
  port1.postMessage(null);
}
