// Under which the index knows the id of an event.
import { hash } from 'node:crypto';

/** Characters of base64url, of 6 bits: what the index stores of each event. */
const ID_KEY_LENGTH = 8;

/**
 * 48 bits of SHA-256. Events that share a key by chance are told apart by their texts, so a longer one would only save reading
 * one: among a million events, one of 300 million ids finds another's.
 */
export const idKey = (namespace: string, id: string): string =>
  hash('sha256', `${namespace} ${id}`, 'base64url').slice(0, ID_KEY_LENGTH);

/** The same bits as a number. */
export const idNumber = (namespace: string, id: string): number =>
  Number.parseInt(hash('sha256', `${namespace} ${id}`, 'hex').slice(0, (ID_KEY_LENGTH * 6) / 4), 16);

/** How the text of an event with this id begins, and no other does; see `encodeEvent`. */
export const beginningOf = (id: string): string => `{"id":"${id}"`;
