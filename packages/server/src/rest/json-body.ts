// Bodies of REST calls: read as bytes, and as JSON only once it is known who sent them.
import { invalidField, SwarmError } from '@hypercode/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';

export const JSON_MEDIA_TYPE = 'application/json';
export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

/** RFC 8259, section 8.1: JSON is UTF-8. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** Keeps the bodies of `app`'s routes as bytes. Unless `anyMediaType`, other media types than JSON's end in INVALID_INPUT. */
export function keepBodiesAsBytes(app: FastifyInstance, { anyMediaType }: { anyMediaType: boolean }): void {
  const mediaTypes = anyMediaType ? '*' : [JSON_MEDIA_TYPE, MERGE_PATCH_MEDIA_TYPE];
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(mediaTypes, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** Null when there is none. */
export const bytesOf = ({ body }: FastifyRequest): Buffer | null =>
  Buffer.isBuffer(body) && body.length > 0 ? body : null;

/** The body's JSON; undefined when there is none. INVALID_INPUT, PAYLOAD_TOO_LARGE. */
export function jsonBody(request: FastifyRequest, maxBytes: number): unknown {
  const body = bytesOf(request);
  if (body === null) return undefined;
  if (body.length > maxBytes) throw bodyTooLarge(maxBytes);
  return jsonOf(body, '');
}

/** INVALID_INPUT, under the name of the field that held the bytes; empty for the whole body. */
export function jsonOf(bytes: Buffer, path: string): unknown {
  try {
    return JSON.parse(UTF_8.decode(bytes));
  } catch {
    throw invalidField(path, 'must be JSON in UTF-8');
  }
}

export const bodyTooLarge = (limit: number): SwarmError<'PAYLOAD_TOO_LARGE'> =>
  new SwarmError('PAYLOAD_TOO_LARGE', `the body must have at most ${limit} bytes`, { details: { limit } });

export const isMergePatch = ({ headers }: FastifyRequest): boolean =>
  mediaTypeOf(headers['content-type'] ?? '') === MERGE_PATCH_MEDIA_TYPE;

/** Type and subtype in lower case, without parameters. */
export const mediaTypeOf = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
