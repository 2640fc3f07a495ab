// What a database error means for the caller: bad data, a database that does not answer, or a bug.
import { DatabaseClosedError } from './connection-gate.ts';
import { PgliteWorkerError } from './pglite-stream.ts';

/**
 * - `data`: these values can not be stored; the same statement without them can succeed.
 * - `unavailable`: the database did not do it now, or the answer was lost, so whether it was done is unknown.
 * - `other`: anything else: a bug, a missing table, a wrong password.
 */
export type FailureKind = 'data' | 'unavailable' | 'other';

/**
 * SQLSTATE classes and codes (PostgreSQL documentation, appendix A): cardinality, data, constraints, program limits.
 */
const DATA = /^(?:21|22|23|54)/;

/**
 * 08 connection, 40 conflict of transactions, 53 resources, 58 disk, 57P shutdown, 57014 statement timeout,
 * 25P03 and 25P04 transaction timeouts, 25006 a standby after a failover, 55P03 lock timeout.
 */
const UNAVAILABLE = /^(?:08|40|53|58|57P|57014|25P03|25P04|25006|55P03)/;

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
]);

/** Errors of the driver, its pool and Kysely that carry no code. */
const DRIVER_MESSAGES = [
  /^Connection terminated/,
  /^timeout exceeded when trying to connect$/,
  /^timeout expired$/,
  /^Query read timeout$/,
  /is not queryable$/,
  /^Postgres connection has been discarded$/,
];

/** Sorts an error that a query, a connection or `ping()` ended in. Follows `cause`. */
export function classify(error: unknown): FailureKind {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth += 1) {
    const kind = classifyOne(current);
    if (kind !== 'other') return kind;
  }
  return 'other';
}

function classifyOne(error: Error): FailureKind {
  if (error instanceof PgliteWorkerError || error instanceof DatabaseClosedError) return 'unavailable';
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code === 'string') {
    if (NETWORK_CODES.has(code)) return 'unavailable';
    // The server's Unix socket is not there.
    if (code === 'ENOENT' && syscall === 'connect') return 'unavailable';
    if (/^[0-9A-Z]{5}$/.test(code)) {
      return DATA.test(code) ? 'data' : UNAVAILABLE.test(code) ? 'unavailable' : 'other';
    }
  }
  return DRIVER_MESSAGES.some((pattern) => pattern.test(error.message)) ? 'unavailable' : 'other';
}
