// What a caller sent, checked.
import { invalidInput } from '@hypercode/contracts';
import type { z } from 'zod';

/** INVALID_INPUT, with each path. */
export function parsed<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const { error, data } = schema.safeParse(value);
  if (error !== undefined) throw invalidInput(error);
  return data;
}
