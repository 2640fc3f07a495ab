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

/** The epoch of a log that does not exist yet; no log that exists has it. */
const UNBEGUN_EPOCH = '0';

/**
 * The position of a log without any write: it takes no place in the store, so it has no epoch. The log that begins later is
 * read from its first event after it; see `EventLog`.
 */
export const UNBEGUN: LogPosition = { epoch: UNBEGUN_EPOCH, seq: 0, nonce: 0 };

export const isUnbegun = ({ epoch }: LogPosition): boolean => epoch === UNBEGUN_EPOCH;

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

/**
 * Negative when `a` comes before `b`. Positions of different logs have no order: every comparison of them is false. `UNBEGUN` is
 * where every log begins.
 */
export function comparePositions(a: LogPosition, b: LogPosition): number {
  return a.epoch === b.epoch || isUnbegun(a) || isUnbegun(b) ? a.seq - b.seq : Number.NaN;
}

/** Whether both are the same point of the same log. */
export const isSamePosition = (a: LogPosition, b: LogPosition): boolean =>
  a.seq === b.seq && a.nonce === b.nonce && a.epoch === b.epoch;

/** Whether a reader at `end` has everything of a log that ends at `head`. One that came before the log began has nothing to read yet. */
export const hasAll = (end: LogPosition, head: LogPosition): boolean =>
  isSamePosition(end, head) || (isUnbegun(end) && head.seq === 0);
