// Strings and JSON that every store can hold: PostgreSQL's jsonb refuses NUL and lone surrogates.
import { z } from 'zod';
import { LIMITS } from './limits.ts';

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

const isStorable = (text: string): boolean => text.isWellFormed() && !text.includes('\0');

/** A string without NUL and without lone surrogates, at most `maxLength` Unicode code points long. */
export const text = (maxLength: number, minLength = 0) =>
  z.string().min(minLength).max(maxLength).refine(isStorable, 'must not contain NUL or lone surrogates');

/**
 * Why `value` can not be stored as JSON, or null when it can. It walks without recursion, so that hostile depth
 * ends in an answer and not in a stack overflow.
 */
export function jsonFault(value: unknown, maxDepth: number = LIMITS.jsonDepth): string | null {
  const pending: { value: unknown; depth: number }[] = [{ value, depth: 0 }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next.value === 'string') {
      if (!isStorable(next.value)) return 'must not contain NUL or lone surrogates';
    } else if (typeof next.value === 'number') {
      if (!Number.isFinite(next.value)) return 'must not contain a number that JSON cannot hold';
    } else if (typeof next.value === 'object' && next.value !== null) {
      if (next.depth >= maxDepth) return `must not be nested deeper than ${maxDepth} levels`;
      const depth = next.depth + 1;
      if (Array.isArray(next.value)) {
        for (const child of next.value) pending.push({ value: child, depth });
      } else {
        for (const [key, child] of Object.entries(next.value)) {
          if (!isStorable(key)) return 'must not contain keys with NUL or lone surrogates';
          pending.push({ value: child, depth });
        }
      }
    } else if (typeof next.value !== 'boolean' && next.value !== null) {
      return 'must be JSON';
    }
  }
  return null;
}

/** Any JSON value within `LIMITS.jsonDepth`, kept as it came. */
export const json = z.custom<Json>().superRefine((value, ctx) => {
  const fault = value === undefined ? 'required' : jsonFault(value);
  if (fault !== null) ctx.addIssue({ code: 'custom', message: fault });
});

/** Any JSON object within `LIMITS.jsonDepth`, kept as it came. */
export const jsonObject = z
  .custom<Record<string, Json>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
  .superRefine((value, ctx) => {
    const fault = jsonFault(value);
    if (fault !== null) ctx.addIssue({ code: 'custom', message: fault });
  });
