// Names that would reach the prototype of an object are refused in all JSON from outside, as secure-json-parse does: `__proto__`,
// and `constructor` with a `prototype` in it.
import { invalidField, type SwarmError } from '@hypercode/contracts';

/** Each character as it is, or escaped (RFC 8259, section 7). */
const keyIn = (name: string): string =>
  `"${name
    .split('')
    .map((letter) => `(?:${letter}|\\\\u00${letter.charCodeAt(0).toString(16)})`)
    .join('')}"\\s*:`;

/** Finds every text that has such a name, and few others. Costs a pass over the text, and no parsing. */
const SUSPICIOUS = new RegExp([keyIn('__proto__'), keyIn('constructor')].join('|'), 'i');

/** INVALID_INPUT when a JSON text has such a name. What is no JSON is for its reader to refuse. */
export function assertPlainNames(text: string, path = ''): void {
  if (!SUSPICIOUS.test(text)) return;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  if (hasUnsafeName(value)) throw unsafeName(path);
}

/** INVALID_INPUT when `__proto__` is the name of a parameter of the URL. Fastify gives them in an object without a prototype. */
export function assertPlainParameters(query: unknown): void {
  if (typeof query === 'object' && query !== null && Object.hasOwn(query, '__proto__')) throw unsafeName('__proto__');
}

const unsafeName = (path: string): SwarmError =>
  invalidField(path, 'must not contain the name __proto__, or constructor.prototype');

/** Without recursion: the value can be nested deeper than the stack. */
function hasUnsafeName(value: unknown): boolean {
  const open = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next !== 'object' || next === null) continue;
    if (Object.hasOwn(next, '__proto__')) return true;
    const { constructor: field } = next as { constructor?: unknown };
    if (Object.hasOwn(next, 'constructor') && isObject(field) && Object.hasOwn(field, 'prototype')) return true;
    for (const inner of Object.values(next)) if (isObject(inner)) open.push(inner);
  }
  return false;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
