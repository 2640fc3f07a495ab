// Whatever came back instead of a result, as a SwarmError.
import { isSwarmErrorBody, SwarmError } from '@hypercode/contracts';
import { TRPCClientError } from '@trpc/client';
import { isRecord } from './json.ts';

/**
 * The longest that the client keeps silent because something in front of the core asks for it, in milliseconds: a page for
 * a day's maintenance must not keep agents silent when the core is back.
 */
const MAX_FOREIGN_RETRY_AFTER_MS = 300_000;

/** The request did not get through, or its answer did not come back whole. */
export const unreachable = (cause: unknown): SwarmError<'UNAVAILABLE'> =>
  new SwarmError('UNAVAILABLE', 'the core could not be reached, or its answer was cut off', {
    cause,
  });

/** The refusal in a body: SwarmErrorBody, RFC 9457 problem+json, tRPC's error shape, alone or wrapped or in a batch. */
function refusalIn(body: unknown): SwarmError | null {
  if (Array.isArray(body)) return refusalIn(body[0]);
  if (!isRecord(body)) return null;
  if (isRecord(body['error'])) return refusalIn(body['error']);
  if (isRecord(body['data']) && 'swarm' in body['data']) return refusalIn(body['data']['swarm']);
  const message = body['message'] ?? body['detail'] ?? body['title'];
  const refusal = { ...body, message };
  return isSwarmErrorBody(refusal) ? SwarmError.from(refusal) : null;
}

/**
 * The refusal that an answer of `status` with `body` stands for. Without a refusal of the core in it, another program
 * has answered (such as a proxy): that is UNAVAILABLE, unless the status alone is telling.
 */
export function refusalOf(status: number, body: unknown, retryAfter: string | null = null): SwarmError {
  const refusal = refusalIn(body);
  if (refusal !== null) return refusal;
  switch (status) {
    case 400:
    case 414:
    case 431:
      return new SwarmError('INVALID_INPUT', `the request was refused with status ${status}`);
    case 401:
      return new SwarmError('UNAUTHENTICATED', 'the request was refused with status 401');
    case 403:
      return new SwarmError('FORBIDDEN', 'the request was refused with status 403');
    case 413:
      return new SwarmError('PAYLOAD_TOO_LARGE', 'the request was refused with status 413');
    case 429:
      return new SwarmError('RATE_LIMITED', 'the request was refused with status 429', retryAfterOptions(retryAfter));
    default:
      return new SwarmError(
        'UNAVAILABLE',
        `status ${status} came from a server that is not a HyperCode core`,
        retryAfterOptions(retryAfter),
      );
  }
}

/**
 * `Retry-After` in seconds (RFC 9110, 10.2.3), up to a bound; its other form, a date, is left out because clocks differ.
 */
function retryAfterOptions(header: string | null): { retryAfterMs?: number } {
  if (header === null || !/^\d+$/.test(header)) return {};
  return { retryAfterMs: Math.min(Number(header) * 1_000, MAX_FOREIGN_RETRY_AFTER_MS) };
}

/** The SwarmError behind what a call through tRPC's client was rejected with. */
export function refusalOfCall(thrown: unknown): SwarmError {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth += 1) {
    if (error instanceof SwarmError) return error;
  }
  if (thrown instanceof TRPCClientError) {
    const refusal = refusalIn(thrown.shape);
    if (refusal !== null) return refusal;
    const data: unknown = thrown.data;
    if (isRecord(data) && typeof data['httpStatus'] === 'number') return refusalOf(data['httpStatus'], null);
  }
  return unreachable(thrown);
}
