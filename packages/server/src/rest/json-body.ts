// Bodies of REST calls: read as bytes, and as JSON only once it is known who sent them.
import { SwarmError } from '@hypercode/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { inputFault } from '../refusals.ts';

export const JSON_MEDIA_TYPE = 'application/json';
export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

/** RFC 8259, section 8.1: JSON is UTF-8. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** Keeps the bodies of `app`'s routes as bytes. Other media types end in INVALID_INPUT. */
export function keepBodiesAsBytes(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser([JSON_MEDIA_TYPE, MERGE_PATCH_MEDIA_TYPE], { parseAs: 'buffer' }, (_request, body, done) =>
    done(null, body),
  );
}

/** The body's JSON; undefined when there is none. INVALID_INPUT, PAYLOAD_TOO_LARGE. */
export function jsonBody({ body }: FastifyRequest, maxBytes: number): unknown {
  if (!Buffer.isBuffer(body) || body.length === 0) return undefined;
  if (body.length > maxBytes) throw bodyTooLarge(maxBytes);
  try {
    return JSON.parse(UTF_8.decode(body));
  } catch {
    throw inputFault('', 'must be JSON in UTF-8');
  }
}

export const bodyTooLarge = (limit: number): SwarmError<'PAYLOAD_TOO_LARGE'> =>
  new SwarmError('PAYLOAD_TOO_LARGE', `the body may have ${limit} bytes`, { details: { limit } });

export const isMergePatch = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() === MERGE_PATCH_MEDIA_TYPE;
