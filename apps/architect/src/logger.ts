// The log as the Architect writes it; pino's loggers are such.

type Write = (fields: Record<string, unknown>, message: string) => void;

export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
