// The closed list of refusals, and the one error class that carries them through every layer and transport.
import type { SwarmErrorBody } from './error-body.ts';
import type { StandardIssue } from './standard-schema.ts';

interface CodeProperties {
  /** Status of the HTTP answer. */
  readonly http: number;
  /** Whether the same call, repeated unchanged, can succeed. */
  readonly retryable: boolean;
}

export const ERROR_CODES = {
  INVALID_INPUT: { http: 400, retryable: false },
  UNAUTHENTICATED: { http: 401, retryable: false },
  FORBIDDEN: { http: 403, retryable: false },
  ACL_DENIED: { http: 403, retryable: false },
  NOT_FOUND: { http: 404, retryable: false },
  CONFLICT: { http: 409, retryable: false },
  IMMUTABLE_FIELD: { http: 409, retryable: false },
  UNROUTABLE: { http: 409, retryable: true },
  FENCED: { http: 409, retryable: false },
  COMPACTED: { http: 410, retryable: false },
  PAYLOAD_TOO_LARGE: { http: 413, retryable: false },
  RATE_LIMITED: { http: 429, retryable: true },
  CIRCUIT_OPEN: { http: 503, retryable: true },
  UNAVAILABLE: { http: 503, retryable: true },
  INTERNAL: { http: 500, retryable: false },
} as const satisfies Record<string, CodeProperties>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** What `details` holds, for the codes that promise something there. */
export interface ErrorDetails {
  INVALID_INPUT: { path: string; reason: string }[];
  ACL_DENIED:
    | { role: string; action: 'publish' | 'subscribe'; topic: string; rule: string | null }
    | { role: string; action: 'consume'; group: string; rule: string | null }
    | { role: string; action: 'offer'; capability: string; rule: string | null };
  IMMUTABLE_FIELD: { field: string };
  /** Agents that declare the topic and do not listen. */
  UNROUTABLE: { silent: string[] };
  PAYLOAD_TOO_LARGE: { limit: number };
  UNAVAILABLE: { id?: string };
}
type DetailsOf<C extends ErrorCode> = C extends keyof ErrorDetails ? ErrorDetails[C] : unknown;

export interface SwarmErrorOptions<C extends ErrorCode> {
  details?: DetailsOf<C>;
  /** How long to wait before the next try, in milliseconds. */
  retryAfterMs?: number;
  cause?: unknown;
}

/** A refusal with its code. The same class is thrown by the core's layers and by the client. */
export class SwarmError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'SwarmError';
  readonly code: C;
  readonly details: DetailsOf<C> | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: C, message: string, options: SwarmErrorOptions<C> = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.retryAfterMs = options.retryAfterMs;
  }

  get retryable(): boolean {
    return ERROR_CODES[this.code].retryable;
  }

  get httpStatus(): number {
    return ERROR_CODES[this.code].http;
  }

  is<K extends ErrorCode>(code: K): this is SwarmError<K> {
    const own: ErrorCode = this.code;
    return own === code;
  }

  toJSON(): SwarmErrorBody {
    return {
      code: this.code,
      message: this.message,
      retryable: this.retryable,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.details === undefined ? {} : { details: this.details }),
    };
  }

  /**
   * The refusal behind any thrown or received value: a SwarmError itself or along its causes, its wire form, or a zod
   * error. Everything else is INTERNAL, with a message that shows nothing of it.
   */
  static from(thrown: unknown): SwarmError {
    for (let error = thrown, depth = 0; error instanceof Error && depth < 8; error = error.cause, depth += 1) {
      if (error instanceof SwarmError) return error;
      if (isZodError(error)) return invalidInput(error);
    }
    if (isSwarmErrorBody(thrown)) return refusalOfBody(thrown);
    return new SwarmError('INTERNAL', 'internal error', { cause: thrown });
  }
}

function refusalOfBody({ code, message, details, retryAfterMs }: SwarmErrorBody): SwarmError {
  return new SwarmError(code, message, { details, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) });
}

/**
 * The refusal that the body of an answer stands for; null for what is none. A code of a later release becomes one that means the same
 * for the caller: by `retryable`, and by the HTTP status where the body has it. The message then names the code.
 */
export function readRefusal(body: unknown): SwarmError | null {
  if (isSwarmErrorBody(body)) return refusalOfBody(body);
  if (typeof body !== 'object' || body === null || !('code' in body) || typeof body.code !== 'string') return null;
  const { code: unknown, status, ...rest } = body as { code: string; status?: unknown; retryable?: unknown };
  const code = codeLike(rest.retryable === true, status);
  const known = { ...rest, code };
  if (Object.hasOwn(ERROR_CODES, unknown) || !isSwarmErrorBody(known)) return null;
  return refusalOfBody({ ...known, message: `${known.message} (${unknown})` });
}

const CODES_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'COMPACTED',
  413: 'PAYLOAD_TOO_LARGE',
};

function codeLike(retryable: boolean, status: unknown): ErrorCode {
  if (retryable) return status === 429 ? 'RATE_LIMITED' : 'UNAVAILABLE';
  if (typeof status !== 'number' || status < 400 || status > 499) return 'INTERNAL';
  return CODES_OF_STATUS[status] ?? 'INVALID_INPUT';
}

/** Whether the schema `SwarmErrorBody` takes it, found out without zod: browsers load this module. */
export function isSwarmErrorBody(value: unknown): value is SwarmErrorBody {
  if (typeof value !== 'object' || value === null || !('code' in value && 'message' in value)) return false;
  const { code, message, retryable, retryAfterMs } = value as Partial<Record<keyof SwarmErrorBody, unknown>>;
  return (
    typeof code === 'string' &&
    Object.hasOwn(ERROR_CODES, code) &&
    typeof message === 'string' &&
    typeof retryable === 'boolean' &&
    (retryAfterMs === undefined || (Number.isSafeInteger(retryAfterMs) && Number(retryAfterMs) >= 0))
  );
}

/** A result of a Standard Schema, or an error of zod. */
interface Rejection {
  readonly issues: readonly StandardIssue[];
}

const isZodError = (error: Error): error is Error & Rejection =>
  (error.name === 'ZodError' || error.name === '$ZodError') && 'issues' in error && Array.isArray(error.issues);

/** Faults that a refusal lists: bad input can have thousands, and each takes more than what it was found in. */
const MAX_FAULTS = 50;

/** INVALID_INPUT with the path and reason of the first 50 issues of a schema; the message says when there are more. */
export function invalidInput(rejection: Rejection): SwarmError<'INVALID_INPUT'> {
  const faults = rejection.issues.flatMap((issue) => plainIssues(issue, []));
  const details = faults.slice(0, MAX_FAULTS);
  const [first] = details;
  const where = first === undefined || first.path === '' ? '' : `${first.path}: `;
  const reason = first?.reason ?? 'does not fit the schema';
  const rest =
    faults.length > MAX_FAULTS ? ` (the first of ${faults.length} problems; details lists ${MAX_FAULTS})` : '';
  return new SwarmError('INVALID_INPUT', `invalid input: ${where}${reason}${rest}`, { details, cause: rejection });
}

/** What zod's issues have besides; those of other libraries have other fields. */
interface ZodIssue extends StandardIssue {
  readonly code?: unknown;
  /** Of a union: the issues of each alternative. */
  readonly errors?: readonly (readonly ZodIssue[])[];
}

/**
 * INVALID_INPUT for a field that no schema can judge, named by its path; an empty path is the whole input. `alsoReasons` are
 * further faults of the same field, listed in the details.
 */
export function invalidField(
  path: string,
  reason: string,
  { cause, alsoReasons = [] }: { cause?: unknown; alsoReasons?: readonly string[] } = {},
): SwarmError<'INVALID_INPUT'> {
  const where = path === '' ? '' : `${path}: `;
  const details = [reason, ...alsoReasons].map((one) => ({ path, reason: one }));
  return new SwarmError('INVALID_INPUT', `invalid input: ${where}${reason}`, { details, cause });
}

/**
 * An issue as a caller can read it. A union only reports that nothing fitted, so the issues of the alternative that came
 * furthest stand for it: the one whose first issue is deepest, or is about more than the kind of value.
 */
function plainIssues(issue: ZodIssue, parent: readonly PropertyKey[]): { path: string; reason: string }[] {
  const path = [...parent, ...pathOf(issue)];
  if (issue.code === 'invalid_union' && issue.errors !== undefined) {
    const [closest] = issue.errors.toSorted((a, b) => progressOf(b) - progressOf(a));
    if (closest !== undefined && progressOf(closest) > 0) return closest.flatMap((inner) => plainIssues(inner, path));
  }
  return [{ path: path.map(String).join('.'), reason: isMissing(issue) ? 'required' : issue.message }];
}

/** Whether there is no value at all. Zod reports the kind of value that it found, and the value itself only where it is asked to. */
const isMissing = ({ code, message }: ZodIssue): boolean =>
  code === 'invalid_type' && message.endsWith('received undefined');

/** How far an alternative of a union came: 0 when the value is not even of its kind. */
function progressOf([first]: readonly ZodIssue[]): number {
  if (first === undefined) return 0;
  return pathOf(first).length * 2 + (first.code === 'invalid_type' ? 0 : 1);
}

const pathOf = ({ path = [] }: StandardIssue): PropertyKey[] =>
  path.map((step) => (typeof step === 'object' ? step.key : step));
