// Which failures of a Redis call mean that there was no answer to trust, as opposed to a fault in the call itself.
import { SwarmError } from '@hypercode/contracts';
import { ReplyError } from 'ioredis';

/** How replies begin that a healthy server would not give. */
const UNHEALTHY_REPLIES = new Set([
  'LOADING',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'OOM',
  'MISCONF',
  'NOREPLICAS',
  'BUSY',
  // What is left of redirections that led nowhere.
  'MOVED',
  'ASK',
  // The password was changed, and this connection is from before.
  'NOAUTH',
  'NOPERM',
  'WRONGPASS',
]);
/** Messages of ioredis for a call that it could not send, or got no answer to. */
const UNANSWERED =
  /^(?:Connection is closed|Command timed out|Socket timeout|Stream isn't writeable|Cluster isn't ready|Cluster is ended|Too many Cluster redirections|None of startup nodes|Command aborted|Reached the max retries|Failed to refresh slots cache|connect ETIMEDOUT)/;
/** What no waiting mends: credentials, and a database that does not exist. */
const MISCONFIGURED = /^(?:WRONGPASS |NOAUTH |ERR (?:DB index is out of range|invalid DB index|invalid password))/;
const UNANSWERED_NAMES = new Set(['AbortError', 'MaxRetriesPerRequestError', 'ClusterAllFailedError']);

/** The address is that of one node of a Cluster, and the others are not known. */
export class ClusterNodeError extends Error {
  override readonly name = 'ClusterNodeError';

  constructor() {
    super(
      'the address is that of one node of a Redis Cluster: give the addresses of at least two of its nodes, separated by commas',
    );
  }
}

/** Whether the address or the credentials are wrong, which no waiting mends. Follows `cause`. */
export function isRedisMisconfigured(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 8; current = current.cause, depth += 1) {
    if (current instanceof ClusterNodeError || MISCONFIGURED.test(current.message)) return true;
  }
  return false;
}

export const noAnswer = (cause?: Error): SwarmError =>
  new SwarmError('UNAVAILABLE', 'the event store does not answer', { cause });

/** UNAVAILABLE for an error that means that the store does not answer; anything else as it is. */
export function redisFailure(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof SwarmError) return error;
  const unavailable =
    error instanceof ReplyError
      ? UNHEALTHY_REPLIES.has(error.message.split(' ', 1)[0] ?? '')
      : UNANSWERED.test(error.message) || UNANSWERED_NAMES.has(error.name) || 'syscall' in error || 'code' in error;
  return unavailable ? noAnswer(error) : error;
}
