// What a database error means for the caller: bad data, a database that does not answer, or a bug.
import { DatabaseClosedError } from './connection-gate.ts';
import { PgliteWorkerError } from './pglite-stream.ts';

/**
 * - `data`: these values can not be stored; the same statement without them can succeed.
 * - `unavailable`: the database did not do it now, or the answer was lost, so whether it was done is unknown.
 * - `other`: anything else: a bug, a missing table.
 */
export type FailureKind = 'data' | 'unavailable' | 'other';

/**
 * SQLSTATE classes and codes (PostgreSQL documentation, appendix A): cardinality, data, constraints, program limits.
 */
const DATA = /^(?:21|22|23|54)/;

/**
 * The server, or what is in front of it, does not serve us: 08 connection, 28 authorization, 3D000 no such database, 53
 * resources, 58 disk, 57P shutdown, 25006 a read-only phase, such as a standby after a failover.
 */
const OUTAGE = /^(?:08|28|3D000|53|58|57P|25006)/;

/** One statement that another try may help: 40 conflict, 57014 statement timeout, 25P03 and 25P04 transaction timeouts, 55P03 lock. */
const RETRYABLE = /^(?:40|57014|25P03|25P04|55P03)/;

/** What no waiting mends: credentials, a database or a schema that do not exist, parameters that the server does not take. */
const MISCONFIGURED = /^(?:28|3D000|3F000|42501|42704)/;
/** The same where the code does not tell: of the driver, and of PgBouncer, which answers everything with 08P01. */
const MISCONFIGURED_MESSAGES = [
  /unsupported startup (?:parameter|options)/,
  /no such (?:database|user)/,
  /authentication failed/,
  /^SASL:/,
  /does not support SSL connections/,
];

const NETWORK_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'EPROTO',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
]);

/** Codes of Node.js and OpenSSL for a certificate or a handshake. */
const TLS_CODES = /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|HOSTNAME_MISMATCH)/;

/** Errors of the driver, its pool and Kysely that carry no code. */
const DRIVER_MESSAGES = [
  /^Connection terminated/,
  /^timeout exceeded when trying to connect$/,
  /^timeout expired$/,
  /^Query read timeout$/,
  /is not queryable$/,
  /^Postgres connection has been discarded$/,
  /^There was an error establishing an SSL connection$/,
  ...MISCONFIGURED_MESSAGES,
];

/** Sorts an error that a query, a connection or `ping()` ended in. Follows `cause`. */
export function classify(error: unknown): FailureKind {
  for (const one of causesOf(error)) {
    const kind = classifyOne(one);
    if (kind !== 'other') return kind;
  }
  return 'other';
}

/** Whether the error says that the database is away, read-only or refuses us: no fault of the statement alone. */
export const isOutage = (error: unknown): boolean =>
  causesOf(error).some((one) => isAway(one) || OUTAGE.test(stateOf(one)));

/** Whether the error says that the address, the credentials or the rights are wrong, which no waiting mends. */
export const isMisconfigured = (error: unknown): boolean =>
  causesOf(error).some(
    (one) => MISCONFIGURED.test(stateOf(one)) || MISCONFIGURED_MESSAGES.some((pattern) => pattern.test(one.message)),
  );

function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let current = error; current instanceof Error && causes.length < 8; current = current.cause)
    causes.push(current);
  return causes;
}

function classifyOne(error: Error): FailureKind {
  const state = stateOf(error);
  if (DATA.test(state)) return 'data';
  return isAway(error) || OUTAGE.test(state) || RETRYABLE.test(state) ? 'unavailable' : 'other';
}

function isAway(error: Error): boolean {
  if (error instanceof PgliteWorkerError || error instanceof DatabaseClosedError) return true;
  const { code, syscall } = error as { code?: unknown; syscall?: unknown };
  if (typeof code === 'string') {
    if (NETWORK_CODES.has(code) || TLS_CODES.test(code)) return true;
    // The server's Unix socket is not there.
    if (code === 'ENOENT' && syscall === 'connect') return true;
  }
  return DRIVER_MESSAGES.some((pattern) => pattern.test(error.message));
}

/** The SQLSTATE of an error of the server; the empty text for any other error. */
function stateOf(error: Error): string {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !NETWORK_CODES.has(code) ? code : '';
}
