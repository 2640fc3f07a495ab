// JSON that loses nothing on its way: what JSON cannot express is refused before it is sent, and integers that a number cannot
// hold are received as they came.
import { invalidField, LIMITS } from '@hypercode/contracts';

/** No integer beyond 2^53 has fewer digits. */
const LONG_INTEGER = /\d{16}/;
const INTEGER = /^-?\d+$/;

/** Whether what a procedure answers contains data of events, such as the outputs of a plan. */
export const carriesEvents = (path: string): boolean => path.startsWith('bus.') || path.startsWith('plans.');

/** `JSON.parse`, with integers that a number cannot hold as `bigint`. In an engine without the source of values they are rounded. */
export const parseExact = (text: string): unknown => exactOf(text) ?? JSON.parse(text);

/** The same, for a text that is parsed already; undefined where `JSON.parse` has lost nothing. */
export const exactOf = (text: string): unknown =>
  LONG_INTEGER.test(text) ? JSON.parse(text, exactInteger) : undefined;

/** How the values of a procedure's stream are parsed. In answers about agents, JSON Schemas have numbers that a validator takes as numbers. */
export const parserOf = (path: string): ((text: string) => unknown) => (carriesEvents(path) ? parseExact : JSON.parse);

function exactInteger(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source;
  return source !== undefined && INTEGER.test(source) ? BigInt(source) : value;
}

/**
 * The JSON text of a value that will be sent. What `toJSON` returns is taken, such as the text of a Date; a field that is
 * undefined is left out. `path` is that of the value in the input.
 * @throws SwarmError INVALID_INPUT with the path of what JSON cannot express
 */
export function jsonText(value: unknown, path = ''): string {
  if (value === undefined) throw invalidField(path, 'required');
  let text: string | undefined;
  let cause: unknown;
  try {
    text = JSON.stringify(value) as string | undefined;
  } catch (error) {
    cause = error;
  }
  const fault = faultIn(value, LIMITS.jsonDepth);
  if (fault !== null) {
    const at = [path, ...fault.path].filter((key) => key !== '').join('.');
    throw invalidField(at, `is ${fault.what}, which JSON cannot express`, { cause });
  }
  if (text === undefined) throw invalidField(path, 'must be JSON', { cause });
  return text;
}

interface Fault {
  /** From the outside in. */
  readonly path: string[];
  readonly what: string;
}

/** What JSON would leave out, change, or fail on. No deeper than any input may be, so that a cycle ends. */
function faultIn(value: unknown, levels: number): Fault | null {
  switch (typeof value) {
    case 'number':
      return Number.isFinite(value) ? null : { path: [], what: String(value) };
    case 'bigint':
      return { path: [], what: 'a BigInt' };
    case 'undefined':
      return { path: [], what: 'undefined' };
    case 'function':
      return { path: [], what: 'a function' };
    case 'symbol':
      return { path: [], what: 'a symbol' };
    case 'object':
      return value === null || levels === 0 ? null : faultInObject(value, levels - 1);
    case 'string':
    case 'boolean':
      return null;
  }
}

function faultInObject(value: object, levels: number): Fault | null {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const fault = faultIn(value[index], levels);
      if (fault !== null) return { ...fault, path: [String(index), ...fault.path] };
    }
    return null;
  }
  if ('toJSON' in value && typeof value.toJSON === 'function') return null;
  const kind = emptyKind(value);
  if (kind !== null) return { path: [], what: kind };
  for (const [key, field] of Object.entries(value)) {
    const fault = field === undefined ? null : faultIn(field, levels);
    if (fault !== null) return { ...fault, path: [key, ...fault.path] };
  }
  return null;
}

/** Of what `JSON.stringify` makes an object without its content. */
function emptyKind(value: object): string | null {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return null;
  if (value instanceof Map) return 'a Map';
  if (value instanceof Set) return 'a Set';
  if (value instanceof Promise) return 'a Promise';
  if (value instanceof RegExp) return 'a RegExp';
  if (value instanceof Error) return 'an Error';
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return 'binary data';
  return null;
}
