// The process of an app: how it ends on a wrong setting, on a signal, and on an error that nothing handles. It is
// beside the settings because every app reads its settings first, and must end with one line when it cannot.
import { ConfigError } from './read-settings.ts';

/** What pino's loggers have. */
export interface ProcessLogger {
  fatal(fields: Readonly<Record<string, unknown>>, message: string): void;
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
}

/** Ends the process with exit code 1 and the message of the error as one line on stderr. */
export function fail(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

/** What `read` returns. Ends the process when it throws a `ConfigError`. */
export function configOrFail<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConfigError) fail(error);
    throw error;
  }
}

/**
 * A signal that is aborted at the first SIGTERM or SIGINT; a second one ends the process at once. It is also aborted when a parent
 * that started the process with a channel (`swarm up`) ends, however that ends. The process also ends, with exit code 1, when it
 * still runs `limitMs` milliseconds after the signal was aborted, and on an error that nothing handles.
 */
export function stopSignal(logger: ProcessLogger, limitMs: number): AbortSignal {
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught exception');
    fail(error);
  });
  process.on('unhandledRejection', (error) => {
    logger.fatal({ err: error }, 'unhandled rejection');
    fail(error);
  });
  const stopping = new AbortController();
  const stop = (why: string): void => {
    logger.info({ signal: why }, 'shutting down');
    setTimeout(() => fail(new Error(`shutting down took longer than ${limitMs} ms`)), limitMs).unref();
    stopping.abort();
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) {
    process.on(name, () => {
      if (stopping.signal.aborted) process.exit(1);
      stop(name);
    });
  }
  process.on('disconnect', () => {
    if (!stopping.signal.aborted) stop('disconnect');
  });
  // Listening to the channel would keep the process alive.
  process.channel?.unref();
  return stopping.signal;
}

/** Resolves when the signal is aborted; at once when it is already. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
