// The port for wake-ups between replicas: "something changed, look at the log".

/** A hint and nothing more: wake-ups may be lost or come without cause, so whoever needs the truth reads the log. */
export interface Signal {
  /**
   * Wakes every subscriber of `channel`, here and on every other replica. Never throws and never waits. Calls that come
   * while one is under way become one: at least one wake-up is sent after the last of them. `except` is a listener of this
   * replica that knows already: it is left out where that is possible.
   */
  notify(channel: string, except?: () => void): void;
  /**
   * `listener` is called on each wake-up, and also whenever the connection to the other replicas was established, since
   * wake-ups may have been missed before. Returns the function that ends the subscription at once.
   */
  subscribe(channel: string, listener: () => void): () => void;
  /**
   * `listener` is called each time that the connection to the other replicas is established from now on, after the subscribers
   * were woken; never where there is no such connection. Returns the function that ends that at once.
   */
  onLinked(listener: () => void): () => void;
  /** Whether wake-ups reach the other replicas now. */
  readonly linked: boolean;
  /** Ends the connections. Listeners are not called again, and `notify` does nothing any more. */
  close(): Promise<void>;
}

export interface SignalOptions {
  /** Hears of each outage once, and of each exception that a listener lets out. Default: nobody does. */
  onError?: (error: Error) => void;
}
