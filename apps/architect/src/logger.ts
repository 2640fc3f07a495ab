// The part of pino's loggers that the Architect uses.

type Write = (fields: Record<string, unknown>, message: string) => void;

export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
