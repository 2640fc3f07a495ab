// What a handler throws when it knows whether another attempt can help.

/** A handler throws it to report whether another attempt can help. After any other error the task is tried again. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly retryable: boolean;

  constructor(message: string, { retryable, cause }: { readonly retryable: boolean; readonly cause?: unknown }) {
    super(message, cause === undefined ? undefined : { cause });
    this.retryable = retryable;
  }
}
