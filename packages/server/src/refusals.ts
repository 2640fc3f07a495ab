// How a refusal looks on tRPC: the code that tRPC's own clients act on, and the whole of it in `error.data.swarm`.
import { type ErrorCode, type SwarmError, SwarmError as Refusal } from '@hypercode/contracts';
import { refusalOf } from '@hypercode/stores';
import { TRPCError } from '@trpc/server';
import { TRPC_ERROR_CODES_BY_KEY, type TRPC_ERROR_CODE_KEY } from '@trpc/server/rpc';

const TRPC_CODES = {
  INVALID_INPUT: 'BAD_REQUEST',
  UNAUTHENTICATED: 'UNAUTHORIZED',
  FORBIDDEN: 'FORBIDDEN',
  ACL_DENIED: 'FORBIDDEN',
  NOT_FOUND: 'NOT_FOUND',
  CONFLICT: 'CONFLICT',
  IMMUTABLE_FIELD: 'CONFLICT',
  UNROUTABLE: 'CONFLICT',
  FENCED: 'CONFLICT',
  COMPACTED: 'PRECONDITION_FAILED',
  PAYLOAD_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
  RATE_LIMITED: 'TOO_MANY_REQUESTS',
  CIRCUIT_OPEN: 'SERVICE_UNAVAILABLE',
  UNAVAILABLE: 'SERVICE_UNAVAILABLE',
  INTERNAL: 'INTERNAL_SERVER_ERROR',
} as const satisfies Record<ErrorCode, TRPC_ERROR_CODE_KEY>;

/** What tRPC refuses by itself, before a procedure is reached. */
const OWN_REFUSALS: Partial<Record<TRPC_ERROR_CODE_KEY, ErrorCode>> = {
  PARSE_ERROR: 'INVALID_INPUT',
  BAD_REQUEST: 'INVALID_INPUT',
  UNSUPPORTED_MEDIA_TYPE: 'INVALID_INPUT',
  METHOD_NOT_SUPPORTED: 'INVALID_INPUT',
  NOT_FOUND: 'NOT_FOUND',
  PAYLOAD_TOO_LARGE: 'PAYLOAD_TOO_LARGE',
};

/** The refusal behind anything thrown on the way through tRPC or Fastify. */
export function toRefusal(thrown: unknown): SwarmError {
  const refusal = refusalOf(thrown);
  if (refusal.code !== 'INTERNAL' || !(thrown instanceof TRPCError)) return refusal;
  const code = OWN_REFUSALS[thrown.code];
  return code === undefined ? refusal : new Refusal(code, firstLine(thrown.message), { cause: thrown });
}

const firstLine = (message: string): string => message.split('\n', 1)[0]?.slice(0, 200) ?? '';

/** The same refusal as tRPC wants it thrown. */
export function toTrpcError(thrown: unknown): TRPCError {
  const refusal = toRefusal(thrown);
  return new TRPCError({ code: TRPC_CODES[refusal.code], message: refusal.message, cause: refusal });
}

/** tRPC's error shape, as its HTTP and WebSocket clients read it. */
export function toErrorShape(thrown: unknown, path: string | undefined) {
  const refusal = toRefusal(thrown);
  const key = TRPC_CODES[refusal.code];
  return {
    message: refusal.message,
    code: TRPC_ERROR_CODES_BY_KEY[key],
    data: {
      code: key,
      httpStatus: refusal.httpStatus,
      ...(path === undefined ? {} : { path }),
      swarm: refusal.toJSON(),
    },
  };
}
