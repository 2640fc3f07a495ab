// JSON in which no number changes: JSON.parse would round what has more digits than a double.

/** What has fewer digits, and a shorter exponent, is exact. */
const LONG_NUMBER = /\d{16}|[eE][+-]?\d{3}/;

interface RawJson {
  rawJSON(text: string): unknown;
}
/** https://tc39.es/proposal-json-parse-with-source: a value that is written as this text. */
const raw = (text: string): unknown => (JSON as unknown as RawJson).rawJSON(text);

/**
 * The value of a JSON text, for `JSON.stringify`: numbers that a double may not hold are kept as they are written, so that the core
 * decides about them.
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text);
  return JSON.parse(text, (_key, value: unknown, context?: { readonly source?: string }) => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && LONG_NUMBER.test(source) ? raw(source) : value;
  });
}

/** The JSON text of a value that the client has read: integers that a double cannot hold are `bigint` there. */
export const exactText = (value: unknown): string =>
  JSON.stringify(value, (_key, field: unknown) => (typeof field === 'bigint' ? raw(field.toString()) : field)) ??
  'null';
