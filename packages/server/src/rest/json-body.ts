// Bodies of REST calls as JSON.
import { invalidField } from '@hypercode/contracts';
import type { FastifyRequest } from 'fastify';
import { bodyTooLarge, bytesOf } from '../intake/bodies.ts';
import { assertPlainNames } from '../intake/plain-names.ts';

export const JSON_MEDIA_TYPE = 'application/json';
export const MERGE_PATCH_MEDIA_TYPE = 'application/merge-patch+json';

/** RFC 8259, section 8.1: JSON is UTF-8. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/** The body's JSON; undefined when there is none. INVALID_INPUT, PAYLOAD_TOO_LARGE. */
export function jsonBody(request: FastifyRequest, maxBytes: number): unknown {
  const body = bytesOf(request);
  if (body === null) return undefined;
  if (body.length > maxBytes) throw bodyTooLarge(maxBytes);
  return jsonOf(body, '');
}

/** INVALID_INPUT, under the name of the field that held the bytes; empty for the whole body. */
export function jsonOf(bytes: Buffer, path: string): unknown {
  let text: string;
  let value: unknown;
  try {
    text = UTF_8.decode(bytes);
    value = JSON.parse(text);
  } catch {
    throw invalidField(path, 'must be JSON in UTF-8');
  }
  assertPlainNames(text, path);
  return value;
}

export const isMergePatch = ({ headers }: FastifyRequest): boolean =>
  mediaTypeOf(headers['content-type'] ?? '') === MERGE_PATCH_MEDIA_TYPE;

/** Type and subtype in lower case, without parameters. */
export const mediaTypeOf = (contentType: string): string => (contentType.split(';', 1)[0] ?? '').trim().toLowerCase();
