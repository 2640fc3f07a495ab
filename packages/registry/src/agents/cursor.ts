// Cursors of pages: opaque to clients, and only good for the kind of page that gave them.
import { invalidField } from '@hypercode/contracts';

type Kind = 'query' | 'history';

const CONTENT: Record<Kind, RegExp> = { query: /^[a-z0-9-]{1,63}$/, history: /^\d{1,15}$/ };

export const encodeCursor = (kind: Kind, value: string): string =>
  Buffer.from(`${kind}:${value}`).toString('base64url');

/** INVALID_INPUT for anything that `encodeCursor` has not made for the same kind of page. */
export function decodeCursor(kind: Kind, cursor: string): string {
  const decoded = Buffer.from(cursor, 'base64url').toString();
  const value = decoded.startsWith(`${kind}:`) ? decoded.slice(kind.length + 1) : '';
  // The decoder forgives what the encoder never writes.
  if (CONTENT[kind].test(value) && encodeCursor(kind, value) === cursor) return value;
  throw invalidField('cursor', 'was not returned by this call');
}
