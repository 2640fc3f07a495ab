// The subscribers of one replica, woken at most once per turn however many wake-ups come in.
import type { SignalOptions } from './signal.ts';

export interface SignalListeners {
  subscribe(channel: string, listener: () => void): () => void;
  /** Wakes the channel's listeners as soon as the running code has returned. */
  wake(channel: string): void;
  wakeAll(): void;
  close(): void;
}

export function createSignalListeners(report: (error: unknown) => void): SignalListeners {
  const channels = new Map<string, Set<{ listener: () => void }>>();
  const due = new Set<string>();

  function run(): void {
    const woken = [...due];
    due.clear();
    for (const channel of woken) {
      const subscriptions = channels.get(channel);
      for (const subscription of [...(subscriptions ?? [])]) {
        if (!subscriptions?.has(subscription)) continue;
        try {
          subscription.listener();
        } catch (error) {
          report(error);
        }
      }
    }
  }

  function wake(channel: string): void {
    if (!channels.has(channel)) return;
    if (due.size === 0) queueMicrotask(run);
    due.add(channel);
  }

  return {
    wake,
    wakeAll() {
      for (const channel of channels.keys()) wake(channel);
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
    },
  };
}

/** What `onError` hears of; an exception of its own ends there. */
export function createReport({ onError }: SignalOptions): (error: unknown) => void {
  return (error) => {
    try {
      onError?.(asError(error));
    } catch {
      // Nobody is left to tell.
    }
  };
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
