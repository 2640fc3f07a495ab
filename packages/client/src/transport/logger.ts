// Where the client reports what no caller would see.
import type { Clock } from '@hypercode/clock';
import { safely } from './emitter.ts';

/** What pino and loggers like it have in common: fields first. */
export interface SwarmLogger {
  info(fields: Record<string, unknown>, message: string): void;
  warn(fields: Record<string, unknown>, message: string): void;
}

/** Warnings alone, on the error output of the process: the other output is the program's. */
const consoleLogger: SwarmLogger = {
  info() {},
  warn(fields, message) {
    const about = Object.entries(fields)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${String(value)}`);
    // oxlint-disable-next-line no-console -- the default where an application gives no logger
    console.warn(`hypercode: ${message}${about.join('')}`);
  },
};

const silent: SwarmLogger = { info() {}, warn() {} };

/** The logger of an option. One that throws harms nothing; what it throws surfaces as uncaught. */
export function loggerOf(given: SwarmLogger | false | undefined): SwarmLogger {
  if (given === false) return silent;
  const logger = given ?? consoleLogger;
  return {
    info: (fields, message) => safely(() => logger.info(fields, message)),
    warn: (fields, message) => safely(() => logger.warn(fields, message)),
  };
}

/** Most warnings in one window of so many milliseconds. */
const MAX_WARNINGS = 10;
const WINDOW_MS = 10_000;
/** Ids of which is remembered that they were logged. */
const MAX_REMEMBERED = 1_000;

/** Warnings about events: one for each, and at most ten in ten seconds; the next one has how many were left out. */
export class EventWarnings {
  readonly #clock: Clock;
  readonly #logger: SwarmLogger;
  /** The oldest first. */
  readonly #logged = new Set<string>();
  #windowEndsAt = -Infinity;
  #count = 0;
  #leftOut = 0;

  constructor(clock: Clock, logger: SwarmLogger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  warn(id: string, fields: Record<string, unknown>, message: string): void {
    if (this.#logged.has(id)) return;
    this.#logged.add(id);
    for (const oldest of this.#logged) {
      if (this.#logged.size <= MAX_REMEMBERED) break;
      this.#logged.delete(oldest);
    }
    const now = this.#clock.monotonicMs();
    if (now >= this.#windowEndsAt) {
      this.#windowEndsAt = now + WINDOW_MS;
      this.#count = 0;
    }
    this.#count += 1;
    if (this.#count > MAX_WARNINGS) {
      this.#leftOut += 1;
      return;
    }
    const leftOut = this.#leftOut === 0 ? {} : { leftOut: this.#leftOut };
    this.#leftOut = 0;
    this.#logger.warn({ ...fields, id, ...leftOut }, message);
  }
}

/** What a handler threw, in words. */
export function messageOf(thrown: unknown): string {
  try {
    return String(thrown instanceof Error ? thrown.message || thrown.name : thrown);
  } catch {
    return 'the handler threw a value that cannot be converted to text';
  }
}
