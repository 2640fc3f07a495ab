// Bodies of requests: no more is read than the route takes, and than the budgets of process and caller allow.
import { invalidField, LIMITS, SwarmError } from '@hypercode/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Core } from '../context.ts';
import { identityOf } from './authenticate.ts';
import { type BodyClaim, shareOf, UNCOUNTED_BYTES } from './body-budget.ts';
import { ACCEPTED_ENCODINGS, unsupportedEncoding } from './content-encoding.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** What its body holds of the budget; null when it is too small to count. */
    bodyClaim: BodyClaim | null;
  }
  interface FastifyContextConfig {
    /** Largest body, in bytes. Default: `LIMITS.inputBytes`. */
    maxBodyBytes?: number;
  }
}

/** The largest body that any call may have: a full `publishMany`, and room for its envelope. */
export const MAX_BODY_BYTES = 5 * 1024 * 1024;

export interface BodyParsing {
  /** `*` for all. Others end in INVALID_INPUT. */
  mediaTypes: string | string[];
  /** Largest body of a request, in bytes. */
  limitOf?: (request: FastifyRequest) => number;
}

/** Keeps the bodies of `scope`'s routes, all of which ask who calls, as bytes. PAYLOAD_TOO_LARGE, RATE_LIMITED. */
export function keepBodies(
  scope: FastifyInstance,
  core: Pick<Core, 'bodies'>,
  { mediaTypes, limitOf = limitOfRoute }: BodyParsing,
): void {
  scope.addHook('preParsing', (request, reply, _payload, done) => {
    if (!hasBody(request)) return done();
    const unsupported = unsupportedEncoding(request.headers);
    if (unsupported !== null) {
      reply.headers(ACCEPTED_ENCODINGS);
      return done(unsupported);
    }
    const stated = statedLength(request) ?? Number.POSITIVE_INFINITY;
    if (stated <= UNCOUNTED_BYTES) return done();
    try {
      if (Number.isFinite(stated)) assertLength(stated, limitOf(request));
      const claim = core.bodies.claim(shareOf(identityOf(request).principal), Number.isFinite(stated) ? stated : 0);
      request.bodyClaim = claim;
      // While the caller was looked up, the connection may have closed, and nothing more is reported of it.
      if (reply.raw.closed || reply.raw.destroyed) claim.release();
      else reply.raw.once('close', () => claim.release());
    } catch (refusal) {
      return done(SwarmError.from(refusal));
    }
    done();
  });
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser(mediaTypes, (request: FastifyRequest, payload: IncomingMessage) =>
    readBody(request, payload, limitOf(request)),
  );
}

/** Whether there is anything to read. */
export const hasBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;

/** Null where the body comes in chunks. Both headers in one request are refused by Node.js. */
export const statedLength = ({ headers }: FastifyRequest): number | null =>
  headers['content-length'] === undefined ? null : Number(headers['content-length']);

const limitOfRoute = ({ routeOptions }: FastifyRequest): number =>
  Math.min(routeOptions.config.maxBodyBytes ?? LIMITS.inputBytes, MAX_BODY_BYTES);

/** The body of a request of such a route; null when there is none. */
export const bytesOf = ({ body }: FastifyRequest): Buffer | null =>
  Buffer.isBuffer(body) && body.length > 0 ? body : null;

/** The body of a request that is answered with a stream: neither it nor its part of the budget is held for as long as that lasts. */
export function takeBody(request: FastifyRequest): Buffer {
  const bytes = bytesOf(request);
  request.body = undefined;
  request.bodyClaim?.release();
  return bytes ?? Buffer.alloc(0);
}

export const bodyTooLarge = (limit: number): SwarmError<'PAYLOAD_TOO_LARGE'> =>
  new SwarmError('PAYLOAD_TOO_LARGE', `the body must have at most ${limit} bytes`, { details: { limit } });

function assertLength(length: number, limit: number): void {
  if (length > limit) throw bodyTooLarge(limit);
}

/** The bytes of a body. PAYLOAD_TOO_LARGE, and the rest is not read. */
export function readBody(request: FastifyRequest, payload: IncomingMessage, limit: number): Promise<Buffer> {
  const isCounted = statedLength(request) === null;
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const settle = (): void => {
      payload.off('data', take).off('end', end).off('error', abandon).off('close', abandon);
    };
    const refuse = (refusal: SwarmError): void => {
      settle();
      payload.pause();
      reject(refusal);
    };
    const take = (part: Buffer): void => {
      length += part.length;
      try {
        assertLength(length, limit);
        if (isCounted) request.bodyClaim?.grow(part.length);
        parts.push(part);
      } catch (error) {
        refuse(SwarmError.from(error));
      }
    };
    const end = (): void => {
      settle();
      resolve(Buffer.concat(parts, length));
    };
    const abandon = (): void => refuse(invalidField('', 'the body ended too early'));
    if (payload.destroyed) return abandon();
    payload.on('data', take).on('end', end).on('error', abandon).on('close', abandon);
  });
}
