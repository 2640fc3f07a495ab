// Strings and JSON that every store can hold: PostgreSQL's jsonb refuses NUL and lone surrogates.
import { z } from 'zod';
import { isStorable, type Json, jsonFault } from './json-fault.ts';

/** A string without NUL and without lone surrogates, at most `maxLength` Unicode code points long. */
export const text = (maxLength: number, minLength = 0) =>
  z.string().min(minLength).max(maxLength).refine(isStorable, 'must not contain NUL or lone surrogates');

/** Any JSON value within `LIMITS.jsonDepth`, kept as it came. */
export const json = z.custom<Json>().superRefine((value, ctx) => {
  const fault = value === undefined ? { path: [], reason: 'required' } : jsonFault(value);
  if (fault !== null) ctx.addIssue({ code: 'custom', message: fault.reason, path: [...fault.path] });
});

/** Any JSON object within `LIMITS.jsonDepth`, kept as it came. */
export const jsonObject = z
  .custom<Record<string, Json>>(
    (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
    'must be an object',
  )
  .superRefine((value, ctx) => {
    const fault = jsonFault(value);
    if (fault !== null) ctx.addIssue({ code: 'custom', message: fault.reason, path: [...fault.path] });
  });
