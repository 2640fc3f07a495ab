// How column values arrive in JavaScript, the same from PostgreSQL and from PGlite.
import { TypeOverrides } from 'pg';

const INT8 = 20;
const INT8_ARRAY = 1016;

/** Counters and revisions are safe integers; one that is not would be rounded silently, so it is refused. */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit a JavaScript number`);
  return value;
}

/** `{1,NULL,{2}}`: numbers need no quotes, so all that differs from JSON is the brackets and the case of null. */
const parseInt8Array = (text: string): unknown =>
  JSON.parse(text.toLowerCase().replaceAll('{', '[').replaceAll('}', ']'), (_key, value: unknown) =>
    typeof value === 'number' ? parseInt8(String(value)) : value,
  );

/**
 * `bigint` becomes number. `timestamptz` stays a Date (milliseconds), `jsonb` is parsed, `bytea` is a Buffer, and
 * `numeric` stays a string, because it can hold what a number cannot: cast `sum()` and the like to bigint.
 */
export function columnTypes(): TypeOverrides {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(INT8, parseInt8);
  overrides.setTypeParser(INT8_ARRAY, parseInt8Array);
  return overrides;
}
