// A value that goes with a call through all that follows from it, where the platform can do that.

export interface AsyncContext<T> {
  /** Calls `call`. In it, and in what it awaits and begins, `current` returns `value`. */
  run<R>(value: T, call: () => R): R;
  /** The value of the innermost `run`; undefined outside of one, and where the platform keeps none. */
  current(): T | undefined;
}
