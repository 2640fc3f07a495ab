// What of a stranger's schema may be tried: limits of its size, and of its patterns.
import { LIMITS, type Json } from '@hypercode/contracts';

export interface BoundedSchema {
  /** Null: nothing of it may be tried. */
  readonly schema: Json | null;
  /** What is left out, in words; null: nothing is. */
  readonly unchecked: string | null;
}

/** Keywords whose values are data, not schemas. */
const DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);

/** `isLong`: whether the value has a text with which no pattern is compared. */
export function boundedSchema(schema: Json, { isLong }: { readonly isLong: boolean }): BoundedSchema {
  if (typeof schema !== 'boolean' && (typeof schema !== 'object' || schema === null || Array.isArray(schema))) {
    return { schema: null, unchecked: 'the schema is neither an object nor a boolean' };
  }
  if (isDeeper(schema, LIMITS.schemaDepth)) {
    return { schema: null, unchecked: `the schema is nested deeper than ${LIMITS.schemaDepth} levels` };
  }
  if (new TextEncoder().encode(JSON.stringify(schema)).length > LIMITS.schemaBytes) {
    return { schema: null, unchecked: `the schema is longer than ${LIMITS.schemaBytes} bytes` };
  }
  const left = new Set<string>();
  const bounded = withBoundedPatterns(schema, (pattern) => {
    const reason = whyUntried(pattern, isLong);
    if (reason !== null) left.add(reason);
    return reason === null;
  });
  return { schema: bounded, unchecked: left.size === 0 ? null : [...left].join('; ') };
}

function whyUntried(pattern: string, isLong: boolean): string | null {
  if (pattern.length > LIMITS.schemaPatternLength) {
    return `a pattern is longer than ${LIMITS.schemaPatternLength} characters`;
  }
  if (isLong) return `patterns are not tried on texts longer than ${LIMITS.schemaPatternText} characters`;
  try {
    return RegExp(pattern, 'u') && null;
  } catch {
    return 'a pattern is not a regular expression';
  }
}

/** The schema without the patterns that are not to be tried. */
function withBoundedPatterns(schema: Json, isTried: (pattern: string) => boolean): Json {
  if (Array.isArray(schema)) return schema.map((one) => withBoundedPatterns(one, isTried));
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).flatMap(([keyword, value]): [string, Json][] => {
    if (DATA.has(keyword)) return [[keyword, value]];
    if (keyword === 'pattern' && typeof value === 'string') return isTried(value) ? [[keyword, value]] : [];
    if (keyword !== 'patternProperties' || !isObject(value)) return [[keyword, withBoundedPatterns(value, isTried)]];
    const tried = Object.entries(value).filter(([pattern]) => isTried(pattern));
    return [[keyword, Object.fromEntries(tried.map(([p, sub]) => [p, withBoundedPatterns(sub, isTried)]))]];
  });
  return Object.fromEntries(entries);
}

/** Whether some text in the value is longer than patterns are tried on. */
export function hasLongText(value: Json): boolean {
  if (typeof value === 'string') return value.length > LIMITS.schemaPatternText;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, one]) => key.length > LIMITS.schemaPatternText || hasLongText(one));
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((one) => isDeeper(one, levels - 1));
}

const isObject = (value: Json): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
