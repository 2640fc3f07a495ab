// Nest's own log lines in the Architect's log.
import type { LoggerService } from '@nestjs/common';
import type { Logger } from './logger.ts';

type Line = (message: unknown, ...others: unknown[]) => void;

/**
 * Nest gives the context, such as the name of a class, as the last argument. Its lines at the start are for debugging.
 */
export function nestLoggerOn(logger: Logger): LoggerService {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error'): Line =>
    (message, ...others) => {
      const context = others.at(-1);
      const fields = typeof context === 'string' ? { context } : {};
      logger[level](fields, message instanceof Error ? message.message : String(message));
    };
  return { log: line('debug'), debug: line('debug'), verbose: line('debug'), warn: line('warn'), error: line('error') };
}
