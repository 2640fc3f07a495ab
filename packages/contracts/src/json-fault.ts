// What every store can hold as JSON, checked without zod, for browsers too: PostgreSQL's jsonb refuses NUL and lone surrogates.
import { LIMITS } from './limits.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

export const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** Why `value` can not be stored as JSON, or null when it can. Goes no deeper than `LIMITS.jsonDepth`, however deep it is nested. */
export function jsonFault(value: unknown): string | null {
  return faultWithin(value, LIMITS.jsonDepth);
}

/** `levels`: of arrays and objects that are allowed from here on. */
function faultWithin(value: unknown, levels: number): string | null {
  if (value === null || typeof value === 'boolean') return null;
  if (typeof value === 'string') return isStorable(value) ? null : 'must not contain NUL or lone surrogates';
  if (typeof value === 'number') {
    return Number.isFinite(value) ? null : 'must not contain a number that JSON cannot hold';
  }
  if (typeof value !== 'object') return 'must be JSON';
  if (levels === 0) return `must not be nested deeper than ${LIMITS.jsonDepth} levels`;
  return Array.isArray(value) ? faultOfItems(value, levels - 1) : faultOfFields(value, levels - 1);
}

function faultOfItems(items: readonly unknown[], levels: number): string | null {
  for (const item of items) {
    const fault = faultWithin(item, levels);
    if (fault !== null) return fault;
  }
  return null;
}

function faultOfFields(fields: object, levels: number): string | null {
  for (const [key, field] of Object.entries(fields)) {
    const fault = isStorable(key) ? faultWithin(field, levels) : 'must not contain keys with NUL or lone surrogates';
    if (fault !== null) return fault;
  }
  return null;
}
