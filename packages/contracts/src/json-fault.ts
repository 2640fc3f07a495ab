// What every store can hold as JSON, checked without zod, for browsers too: PostgreSQL's jsonb refuses NUL and lone surrogates.
import { LIMITS } from './limits.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Why a value can not be stored as JSON, and where in it. */
export interface JsonFault {
  /** From the outside in; names are cut after 63 characters. */
  readonly path: readonly string[];
  readonly reason: string;
}

/** Null when `value` can be stored. Goes no deeper than `LIMITS.jsonDepth`, however deep it is nested. */
export const jsonFault = (value: unknown): JsonFault | null => faultWithin(value, LIMITS.jsonDepth);

const fault = (reason: string): JsonFault => ({ path: [], reason });
/** A path to what is too deep would be as long. */
const TOO_DEEP = fault(`must not be nested deeper than ${LIMITS.jsonDepth} levels`);

const within = (name: string, found: JsonFault): JsonFault =>
  found === TOO_DEEP ? found : { path: [name.slice(0, LIMITS.nameLength), ...found.path], reason: found.reason };

/** `levels`: of arrays and objects that are allowed from here on. */
function faultWithin(value: unknown, levels: number): JsonFault | null {
  if (value === null || typeof value === 'boolean') return null;
  if (typeof value === 'string') return isStorable(value) ? null : fault('must not contain NUL or lone surrogates');
  if (typeof value === 'number') return Number.isFinite(value) ? null : fault(NOT_KEPT);
  if (typeof value !== 'object') return fault('must be JSON');
  if (levels === 0) return TOO_DEEP;
  return Array.isArray(value) ? faultOfItems(value, levels - 1) : faultOfFields(value, levels - 1);
}

/** What a core reads as Infinity is every number that it could not pass on as it came. */
const NOT_KEPT = 'cannot be kept exactly as a number; send it as a string';

function faultOfItems(items: readonly unknown[], levels: number): JsonFault | null {
  for (let index = 0; index < items.length; index += 1) {
    const found = faultWithin(items[index], levels);
    if (found !== null) return within(String(index), found);
  }
  return null;
}

function faultOfFields(fields: object, levels: number): JsonFault | null {
  for (const [key, field] of Object.entries(fields)) {
    if (!isStorable(key)) return fault('must not contain keys with NUL or lone surrogates');
    const found = faultWithin(field, levels);
    if (found !== null) return within(key, found);
  }
  return null;
}
