// Whatever came back instead of a result, as a SwarmError.
import { readRefusal, SwarmError } from '@hypercode/contracts';
import { TRPCClientError } from '@trpc/client';
import { isRecord } from './json.ts';
import type { AnswerHead } from './transport.ts';

/**
 * The longest that the client keeps silent because something in front of the core asks for it, in milliseconds: a page for
 * a day's maintenance must not keep agents silent when the core is back.
 */
const MAX_FOREIGN_RETRY_AFTER_MS = 300_000;

const unanswered = new WeakSet<SwarmError>();

/** Whether no core has answered: nothing came back in time, or what came back is not a core's. */
export const isUnanswered = (error: SwarmError): boolean => unanswered.has(error);

/** The same error, known as one that no core has sent. */
export function asUnanswered<E extends SwarmError>(error: E): E {
  unanswered.add(error);
  return error;
}

/** Where the core is, as refusals name it: without a slash at the end. */
export const addressOf = (base: URL): string => base.href.replace(/\/$/, '');

/**
 * The refusal in a body: SwarmErrorBody, RFC 9457 problem+json, tRPC's error shape, alone or wrapped or in a batch. `status` is that of
 * the answer, where the body has none.
 */
function refusalIn(body: unknown, status?: unknown): SwarmError | null {
  if (Array.isArray(body)) return refusalIn(body[0], status);
  if (!isRecord(body)) return null;
  if (isRecord(body['error'])) return refusalIn(body['error'], status);
  const { data } = body;
  if (isRecord(data) && 'swarm' in data) return refusalIn(data['swarm'], data['httpStatus'] ?? status);
  const message = body['message'] ?? body['detail'] ?? body['title'];
  return readRefusal({ status, ...body, message });
}

/** What is known of an answer to a request to `url`. */
export type AnswerTo = Pick<AnswerHead, 'status'> & Partial<AnswerHead> & { readonly url?: URL };

/**
 * The refusal that an answer with `body` stands for. Without a refusal of the core in it, another program has answered (such as
 * a proxy): that is UNAVAILABLE, unless the status alone is telling. `base` is the address of the core.
 */
export function refusalOf(answer: AnswerTo, body: unknown, base: URL): SwarmError {
  const refusal = refusalIn(body, answer.status);
  if (refusal !== null) return refusal;
  const { status, retryAfter = null } = answer;
  const refused = `the request to ${addressOf(base)} was refused with status ${status}`;
  switch (status) {
    case 0:
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
      return redirectOf(answer, base);
    case 400:
    case 414:
    case 431:
      return new SwarmError('INVALID_INPUT', refused);
    case 401:
      return new SwarmError('UNAUTHENTICATED', refused);
    case 403:
      return new SwarmError('FORBIDDEN', refused);
    case 413:
      return new SwarmError('PAYLOAD_TOO_LARGE', refused);
    case 429:
      return new SwarmError('RATE_LIMITED', refused, retryAfterOptions(retryAfter));
    default:
      return asUnanswered(
        new SwarmError(
          'UNAVAILABLE',
          `status ${status} came from a server at ${addressOf(base)} that is not a HyperCode core`,
          retryAfterOptions(retryAfter),
        ),
      );
  }
}

/**
 * No redirect is followed: the token would go where the client was not told to send it, and each call would go twice. A permanent
 * one can never work; a temporary one may be a page of maintenance.
 */
function redirectOf({ status, url, location = null }: AnswerTo, base: URL): SwarmError {
  const target = location !== null && URL.canParse(location, url?.href) ? new URL(location, url) : null;
  // Browsers show neither the status nor the address of a redirect.
  const where = target === null ? 'another address' : coreAddressIn(target, url, base);
  const message = `${addressOf(base)} redirects to ${where}, and the client follows no redirect; set url to the address of the core`;
  if (status !== 301 && status !== 308) return asUnanswered(new SwarmError('UNAVAILABLE', message));
  return new SwarmError('INVALID_INPUT', message, { details: [{ path: 'url', reason: `redirects to ${where}` }] });
}

/** The address of the core that an address of one of its routes stands for. */
function coreAddressIn(target: URL, requested: URL | undefined, base: URL): string {
  const plain = new URL(target.pathname, target.origin);
  const route = requested?.pathname.slice(base.pathname.length) ?? '';
  if (route !== '' && plain.pathname.endsWith(`/${route}`)) plain.pathname = plain.pathname.slice(0, -route.length);
  return addressOf(plain);
}

/**
 * `Retry-After` in seconds (RFC 9110, 10.2.3), up to a bound; its other form, a date, is left out because clocks differ.
 */
function retryAfterOptions(header: string | null): { retryAfterMs?: number } {
  if (header === null || !/^\d+$/.test(header)) return {};
  return { retryAfterMs: Math.min(Number(header) * 1_000, MAX_FOREIGN_RETRY_AFTER_MS) };
}

/**
 * The request did not get through, or its answer did not come back whole. Errors of libraries can contain what was sent, so the
 * cause is a new error with the reason alone, from which the `secrets` are removed.
 */
export function unreachable(thrown: unknown, base: URL, secrets: readonly string[]): SwarmError<'UNAVAILABLE'> {
  const { reason, code } = reasonOf(thrown, secrets);
  const cause = code === undefined ? new Error(reason) : Object.assign(new Error(reason), { code });
  return asUnanswered(
    new SwarmError(
      'UNAVAILABLE',
      `the core at ${addressOf(base)} could not be reached, or its answer was cut off: ${reason}`,
      { cause },
    ),
  );
}

/** The stream has to be opened again. */
export const unreadable = (cause: unknown): SwarmError<'UNAVAILABLE'> =>
  new SwarmError('UNAVAILABLE', 'the stream contains data that cannot be read', { cause });

const MAX_REASON_LENGTH = 300;

/** The innermost reason, such as `connect ECONNREFUSED 127.0.0.1:7700`; the outer ones report that a request failed. */
function reasonOf(thrown: unknown, secrets: readonly string[]): { reason: string; code: string | undefined } {
  let error = thrown;
  for (let depth = 0; depth < 8 && error instanceof Error && error.cause instanceof Error; depth += 1)
    error = error.cause;
  // One for each address of a host.
  const errors = error instanceof AggregateError && error.errors.length > 0 ? error.errors.slice(0, 4) : [error];
  const texts = errors.map((one: unknown) => {
    const code = codeOf(one);
    const text = one instanceof Error ? one.message || one.name : 'unknown';
    return code === undefined || text.includes(code) ? text : `${text} (${code})`;
  });
  let reason = [...new Set(texts)].join(', ').replaceAll(/\s+/g, ' ');
  for (const secret of secrets) reason = reason.replaceAll(secret, '…');
  reason = reason.replaceAll(/\bbearer\s+\S+/gi, 'Bearer …').replaceAll(/\/\/[^/\s@]*@/g, '//…@');
  return { reason: reason.slice(0, MAX_REASON_LENGTH), code: codeOf(errors[0]) };
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** The SwarmError behind what a call through tRPC's client was rejected with. */
export function refusalOfCall(
  thrown: unknown,
  connection: {
    refusalOf(answer: AnswerTo, body: unknown): SwarmError;
    unreachable(cause: unknown): SwarmError;
  },
): SwarmError {
  for (let error = thrown, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth += 1) {
    if (error instanceof SwarmError) return error;
  }
  if (thrown instanceof TRPCClientError) {
    const refusal = refusalIn(thrown.shape);
    if (refusal !== null) return refusal;
    const data: unknown = thrown.data;
    const status = isRecord(data) ? data['httpStatus'] : undefined;
    if (typeof status === 'number') return connection.refusalOf({ status }, null);
  }
  return connection.unreachable(thrown);
}
