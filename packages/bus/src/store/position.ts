// Where an event stands: which log, how far, and which of the histories that could have come so far.
import { invalidField } from '@hypercode/contracts';

/**
 * Positions of one namespace count without a hole: `seq` is 1 for the first event of a log and 0 before it. `epoch` is made
 * at random with the log, `nonce` at random with each append. A store that lost its end (a failover, a restored backup) goes
 * on counting from where it is, so a position from the lost end meets another nonce, or no event, and is known for what it is.
 */
export interface LogPosition {
  readonly epoch: string;
  readonly seq: number;
  /** 0 at `seq` 0. */
  readonly nonce: number;
}

/** Nonces are 1 to this. */
export const MAX_NONCE = 2 ** 31 - 1;
const RADIX = 36;
/** Epochs are 1 to 16 characters of this. */
const POSITION = /^([0-9a-z]{1,16})-([0-9a-z]{1,11})-([0-9a-z]{1,6})$/;

/** A position as it travels; callers take it for opaque. */
export const formatPosition = ({ epoch, seq, nonce }: LogPosition): string =>
  `${epoch}-${seq.toString(RADIX)}-${nonce.toString(RADIX)}`;

/** Null for what `formatPosition` did not write. */
export function parsePosition(text: string): LogPosition | null {
  const [, epoch, seq, nonce] = POSITION.exec(text) ?? [];
  if (epoch === undefined || seq === undefined || nonce === undefined) return null;
  const position = { epoch, seq: Number.parseInt(seq, RADIX), nonce: Number.parseInt(nonce, RADIX) };
  const canonical =
    Number.isSafeInteger(position.seq) && position.nonce <= MAX_NONCE && formatPosition(position) === text;
  return canonical ? position : null;
}

/** INVALID_INPUT, naming the field that held it, for a text that is not a position. */
export function positionIn(text: string, field: string): LogPosition {
  const position = parsePosition(text);
  if (position !== null) return position;
  throw invalidField(field, 'is not the position of an event');
}

/** Whether both are the same point of the same log. */
export const isSamePosition = (a: LogPosition, b: LogPosition): boolean =>
  a.seq === b.seq && a.nonce === b.nonce && a.epoch === b.epoch;
