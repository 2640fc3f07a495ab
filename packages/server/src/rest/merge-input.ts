// The parts of a REST call as the one input of a procedure.
import { invalidField, type SwarmError } from '@hypercode/contracts';
import { isDeepStrictEqual } from 'node:util';

/** The URL's parameters and the body's fields as one input. INVALID_INPUT where the two contradict each other. */
export function mergeInput(body: unknown, fromUrl: Record<string, unknown>): unknown {
  if (!isJsonObject(body)) return body;
  for (const [name, value] of Object.entries(fromUrl)) {
    if (Object.hasOwn(body, name) && !isDeepStrictEqual(body[name], value)) {
      throw contradiction(name);
    }
  }
  return { ...body, ...fromUrl };
}

export const contradiction = (name: string): SwarmError =>
  invalidField(name, 'the URL and the body have different values');

export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
