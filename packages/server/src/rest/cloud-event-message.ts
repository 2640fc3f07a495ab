// CloudEvents in HTTP requests: which mode a request is in, and the attributes of the binary one.
// https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md
import { invalidField } from '@hypercode/contracts';
import type { IncomingHttpHeaders } from 'node:http';
import { mediaTypeOf } from './json-body.ts';

export const CLOUD_EVENT_MEDIA_TYPE = 'application/cloudevents+json';
export const CLOUD_EVENTS_MEDIA_TYPE = 'application/cloudevents-batch+json';
const FAMILY = 'application/cloudevents';

/**
 * - `structured`: the body is an event.
 * - `batched`: the body is a list of events.
 * - `binary`: headers and body together are an event.
 */
export type CloudEventMode = 'structured' | 'batched' | 'binary';

const MANDATORY = ['ce-specversion', 'ce-id', 'ce-source', 'ce-type'];

/** Null for what is no CloudEvent; one header of the mandatory ones says that it is meant to be. INVALID_INPUT for other formats. */
export function modeOf(headers: IncomingHttpHeaders): CloudEventMode | null {
  const mediaType = mediaTypeOf(headers['content-type'] ?? '');
  if (mediaType === CLOUD_EVENT_MEDIA_TYPE) return 'structured';
  if (mediaType === CLOUD_EVENTS_MEDIA_TYPE) return 'batched';
  if (mediaType.startsWith(FAMILY)) {
    throw invalidField('', `CloudEvents must be sent as ${CLOUD_EVENT_MEDIA_TYPE} or ${CLOUD_EVENTS_MEDIA_TYPE}`);
  }
  return MANDATORY.some((name) => headers[name] !== undefined) ? 'binary' : null;
}

/** The attributes that are given, extensions among them. INVALID_INPUT for a value that is no UTF-8. */
export function attributesOf(headers: IncomingHttpHeaders): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith(PREFIX) || typeof value !== 'string') continue;
    const name = header.slice(PREFIX.length);
    if (!OF_THE_BODY.has(name)) attributes[name] = decodeHeaderValue(value, name);
  }
  return attributes;
}

const PREFIX = 'ce-';
/** Names of the JSON format for what is in the body and its header `content-type` here. */
const OF_THE_BODY = new Set(['data', 'data_base64', 'datacontenttype']);

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Section 3.1.3.2: quoted strings are unescaped, then percent-encoded bytes. Node.js gives a byte as one character. */
function decodeHeaderValue(value: string, name: string): string {
  const plain = value
    .replaceAll(/"((?:[^"\\]|\\.)*)"/g, (_quoted, inner: string) => inner.replaceAll(/\\(.)/g, '$1'))
    .replaceAll(/%([0-9a-f]{2})/gi, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  try {
    return UTF_8.decode(Buffer.from(plain, 'latin1'));
  } catch {
    throw invalidField(name, 'must be UTF-8');
  }
}
