// The subscribers of one replica. However many wake-ups arrive, each subscriber is woken at most once per turn.
import type { SignalOptions } from './signal.ts';

export interface SignalListeners {
  subscribe(channel: string, listener: () => void): () => void;
  /** Wakes the channel's listeners except `except`, as soon as the running code has returned. */
  wake(channel: string, except?: () => void): void;
  onLinked(listener: () => void): () => void;
  /** Wakes all channels, and then calls the listeners of `onLinked`. */
  linked(): void;
  close(): void;
}

export function createSignalListeners(report: (error: unknown) => void): SignalListeners {
  const channels = new Map<string, Set<{ listener: () => void }>>();
  /** Channels to wake, each with the listener to skip. */
  const due = new Map<string, (() => void) | undefined>();
  const linkListeners = new Set<{ listener: () => void }>();

  function call(listener: () => void): void {
    try {
      listener();
    } catch (error) {
      report(error);
    }
  }

  function run(): void {
    const woken = [...due];
    due.clear();
    for (const [channel, except] of woken) {
      const subscriptions = channels.get(channel);
      for (const subscription of [...(subscriptions ?? [])]) {
        if (!subscriptions?.has(subscription) || subscription.listener === except) continue;
        call(subscription.listener);
      }
    }
  }

  function wake(channel: string, except?: () => void): void {
    if (!channels.has(channel)) return;
    if (due.size === 0) queueMicrotask(run);
    // Two pending notifications that exclude different listeners exclude neither: each listener must see the other's.
    due.set(channel, !due.has(channel) || due.get(channel) === except ? except : undefined);
  }

  return {
    wake,
    onLinked(listener) {
      const subscription = { listener };
      linkListeners.add(subscription);
      return () => void linkListeners.delete(subscription);
    },
    linked() {
      for (const channel of channels.keys()) wake(channel);
      queueMicrotask(() => {
        for (const { listener } of linkListeners) call(listener);
      });
    },
    subscribe(channel, listener) {
      const subscription = { listener };
      const subscriptions = channels.get(channel) ?? new Set();
      channels.set(channel, subscriptions.add(subscription));
      return () => {
        subscriptions.delete(subscription);
        if (subscriptions.size === 0 && channels.get(channel) === subscriptions) channels.delete(channel);
      };
    },
    close() {
      for (const subscriptions of channels.values()) subscriptions.clear();
      channels.clear();
      linkListeners.clear();
    },
  };
}

/** Returns a function that calls `onError`. An exception of `onError` itself is ignored. */
export function createReport({ onError }: SignalOptions): (error: unknown) => void {
  return (error) => {
    try {
      onError?.(asError(error));
    } catch {
      // No handler is left for an exception of the error handler.
    }
  };
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
