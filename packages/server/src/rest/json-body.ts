// Bodies of REST calls as JSON.
import type { FastifyRequest } from 'fastify';
import { bodyTooLarge, bytesOf } from '../intake/bodies.ts';
import { readJson, textOf } from '../intake/json-text.ts';

export const JSON_MEDIA_TYPE = 'application/json';
export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

/** The body's JSON; undefined when there is none. INVALID_INPUT, PAYLOAD_TOO_LARGE. */
export function jsonBody(request: FastifyRequest, maxBytes: number): unknown {
  const body = bytesOf(request);
  if (body === null) return undefined;
  if (body.length > maxBytes) throw bodyTooLarge(maxBytes);
  return readJson(textOf(body, { contentType: request.headers['content-type'] }));
}

export const isMergePatch = ({ headers }: FastifyRequest): boolean =>
  mediaTypeOf(headers['content-type'] ?? '') === MERGE_PATCH_MEDIA_TYPE;

/** Type and subtype in lower case, without parameters. */
export const mediaTypeOf = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
