// Compressed bodies are not read: a small one could become any size. They are refused for what they are.
import { SwarmError } from '@hypercode/contracts';
import type { IncomingHttpHeaders } from 'node:http';

/** INVALID_INPUT with the status of RFC 9110, section 15.5.16. */
class UnsupportedEncoding extends SwarmError<'INVALID_INPUT'> {
  override get httpStatus(): number {
    return 415;
  }
}

/** What an answer with this refusal states: which encodings are taken (RFC 9110, section 12.5.3). */
export const ACCEPTED_ENCODINGS = { 'accept-encoding': 'identity' };

const MAX_SHOWN_LENGTH = 40;

/** The refusal of a body in another encoding than none; null for a body that can be read. */
export function unsupportedEncoding({ 'content-encoding': encoding = '' }: IncomingHttpHeaders): SwarmError | null {
  if (['', 'identity'].includes(encoding.trim().toLowerCase())) return null;
  const reason = `the content encoding "${encoding.slice(0, MAX_SHOWN_LENGTH)}" is not supported; send the body without one`;
  return new UnsupportedEncoding('INVALID_INPUT', `invalid input: ${reason}`, { details: [{ path: '', reason }] });
}
