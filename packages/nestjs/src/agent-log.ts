// The messages of the agent and the module in Nest's log.
import { SwarmError, type SwarmLogger } from '@hypercode/client';
import type { Logger } from '@nestjs/common';

/** Nest's loggers take texts, so the fields follow the message. */
export function agentLoggerOn(logger: Pick<Logger, 'log' | 'warn'>): SwarmLogger {
  const line = (fields: Record<string, unknown>, message: string): string =>
    [message, ...Object.entries(fields).map(([key, value]) => `${key}=${String(value)}`)].join(' ');
  return {
    info: (fields, message) => logger.log(line(fields, message)),
    warn: (fields, message) => logger.warn(line(fields, message)),
  };
}

export function errorText(thrown: unknown): string {
  if (thrown instanceof SwarmError) return `${thrown.code}: ${thrown.message}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}
