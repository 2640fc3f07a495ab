// The one way in which JSON from outside is read: what a reader would change in silence is refused.
import { invalidField } from '@hypercode/contracts';
import { withExactNumbers } from './exact-numbers.ts';
import { assertPlainNames } from './plain-names.ts';

/** RFC 8259, section 8.1: JSON is UTF-8, and a byte order mark at its start may be ignored. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });
const BYTE_ORDER_MARK = '\uFEFF';
/** Longest part of the name of a charset that a refusal shows. */
const MAX_SHOWN_LENGTH = 40;

/**
 * What bytes of a media type are in its charset, which is UTF-8 unless it is named, without a byte order mark. INVALID_INPUT, under the
 * name of the field that held them; empty for a whole body.
 */
export function textOf(bytes: Buffer, { path = '', contentType = '' } = {}): string {
  const charset = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(contentType)?.[1]?.slice(0, MAX_SHOWN_LENGTH) ?? 'utf-8';
  const decoder = /^utf-?8$/i.test(charset) ? UTF_8 : decoderOf(charset, path);
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw invalidField(path, `must be valid ${charset} text`, { cause });
  }
}

function decoderOf(charset: string, path: string): typeof UTF_8 {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch (cause) {
    throw invalidField(path, `has the charset "${charset}", which is not known; send it in UTF-8`, { cause });
  }
}

/**
 * The value of a JSON text. INVALID_INPUT for what is none, and for names that reach a prototype. A number that would not arrive as it
 * came is read as Infinity, for the schema to refuse where it stands.
 */
export function readJson(text: string, path = ''): unknown {
  try {
    return JSON.parse(faithful(text, path));
  } catch (cause) {
    throw cause instanceof SyntaxError ? invalidField(path, 'must be JSON', { cause }) : cause;
  }
}

/** The text that is read in place of one that comes from outside, as `readJson` reads it. INVALID_INPUT. */
export function faithful(given: string, path = ''): string {
  const text = given.startsWith(BYTE_ORDER_MARK) ? given.slice(1) : given;
  assertPlainNames(text, path);
  return withExactNumbers(text);
}
