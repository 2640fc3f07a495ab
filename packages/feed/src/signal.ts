// The port for wake-ups between replicas: "something changed, read the log".

/** A wake-up is only a hint: it may be lost or come without cause. The log is what counts. */
export interface Signal {
  /**
   * Wakes every subscriber of `channel`, on this and on every other replica. Never throws and never waits. Calls during a send
   * are coalesced: at least one wake-up is sent after the last of them. `except` is a listener of this replica that needs no
   * wake-up: it is skipped where that is possible.
   */
  notify(channel: string, except?: () => void): void;
  /**
   * `listener` is called on each wake-up, and also whenever the connection to the other replicas was established, since
   * wake-ups may have been missed before. Returns the function that ends the subscription at once.
   */
  subscribe(channel: string, listener: () => void): () => void;
  /**
   * `listener` is called each time that the connection to the other replicas is established from now on, after the subscribers
   * were woken; never if there is no such connection. Returns the function that removes the listener at once.
   */
  onLinked(listener: () => void): () => void;
  /** Whether wake-ups reach the other replicas now. */
  readonly linked: boolean;
  /** Ends the connections. Listeners are not called again, and `notify` does nothing any more. */
  close(): Promise<void>;
}

export interface SignalOptions {
  /** Called once per outage, and with each exception that a listener throws. Default: errors are ignored. */
  onError?: (error: Error) => void;
}
