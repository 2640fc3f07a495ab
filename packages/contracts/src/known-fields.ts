// Which fields an input can have, as its schema declares them. zod leaves out the others in silence, so that a mistyped field would
// mean its default.
import { z } from 'zod';

/** What is known of a value. Null: it is free, and everything in it is the caller's. */
export interface KnownFields {
  /** Of an object. */
  readonly fields?: ReadonlyMap<string, KnownFields | null>;
  /** Fields of an answer that may be sent back, and are ignored. */
  readonly readOnly?: ReadonlySet<string>;
  /** Of each item of a list. */
  readonly items?: KnownFields | null;
  /** Of each value of an object whose names are the caller's. */
  readonly values?: KnownFields | null;
}

export interface UnknownField {
  readonly path: readonly string[];
  /** The names that are known in its place. */
  readonly known: readonly string[];
}

const answers = new WeakMap<z.core.$ZodType, readonly z.ZodObject[]>();

/** Declares that what was read can be sent back as this input: the other fields of these answers are ignored. */
export function takesBack<Input extends z.ZodObject>(input: Input, ...read: readonly z.ZodObject[]): Input {
  answers.set(input, read);
  return input;
}

/** A scalar: there are no fields in it. */
const NO_FIELDS: KnownFields = {};

export function knownFieldsOf(schema: z.core.$ZodType): KnownFields | null {
  if (schema instanceof z.ZodObject) return ofObject(schema);
  if (schema instanceof z.ZodArray) return { items: knownFieldsOf(schema.element) };
  if (schema instanceof z.ZodRecord) return { values: knownFieldsOf(schema.valueType) };
  if (schema instanceof z.ZodUnion) return schema.options.map(knownFieldsOf).reduce(eitherOf, NO_FIELDS);
  if (schema instanceof z.ZodPipe) return knownFieldsOf(schema.in);
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodNullable || schema instanceof z.ZodDefault)
    return knownFieldsOf(schema.unwrap());
  const isFree = schema instanceof z.ZodCustom || schema instanceof z.ZodUnknown || schema instanceof z.ZodAny;
  return isFree ? null : NO_FIELDS;
}

function ofObject(schema: z.ZodObject): KnownFields {
  const fields = new Map(
    Object.entries(schema.shape).map(([name, field]) => [name, knownFieldsOf(field as z.core.$ZodType)]),
  );
  const readable = (answers.get(schema) ?? []).flatMap(({ shape }) => Object.keys(shape));
  return { fields, readOnly: new Set(readable.filter((name) => !fields.has(name))) };
}

function eitherOf(a: KnownFields | null, b: KnownFields | null): KnownFields | null {
  if (a === null || b === null) return null;
  const fields = new Map(a.fields);
  for (const [name, known] of b.fields ?? []) {
    const other = fields.get(name);
    fields.set(name, other === undefined ? known : eitherOf(other, known));
  }
  const isObject = a.fields !== undefined || b.fields !== undefined;
  return {
    ...(isObject ? { fields, readOnly: new Set([...(a.readOnly ?? []), ...(b.readOnly ?? [])]) } : {}),
    ...mergedPart('items', a, b),
    ...mergedPart('values', a, b),
  };
}

function mergedPart(part: 'items' | 'values', a: KnownFields, b: KnownFields): KnownFields {
  const [first, second] = [a[part], b[part]];
  if (first === undefined) return second === undefined ? {} : { [part]: second };
  return { [part]: second === undefined ? first : eitherOf(first, second) };
}

/** The fields of `value` that are not known, the first `limit` of them. What has another form than declared is for the schema to refuse. */
export function unknownFields(value: unknown, known: KnownFields | null, limit: number): UnknownField[] {
  const found: UnknownField[] = [];
  collect(value, known, { path: [], found, limit });
  return found;
}

interface Search {
  /** From the outside in, to the value that is searched. */
  readonly path: string[];
  readonly found: UnknownField[];
  readonly limit: number;
}

function collect(value: unknown, known: KnownFields | null, search: Search): void {
  if (known === null || typeof value !== 'object' || value === null) return;
  const { fields, readOnly, items, values } = known;
  if (Array.isArray(value)) {
    if (items == null || items === NO_FIELDS) return;
    for (const [index, item] of value.entries()) within(String(index), item, items, search);
    return;
  }
  if (fields === undefined) {
    if (values == null || values === NO_FIELDS) return;
    for (const [name, field] of Object.entries(value)) within(name, field, values, search);
    return;
  }
  for (const name of Object.keys(value)) {
    const field = fields.get(name);
    if (field === undefined) {
      if (readOnly?.has(name) === true) continue;
      if (search.found.length === search.limit) return;
      search.found.push({ path: [...search.path, name], known: [...fields.keys()] });
    } else if (field !== null && field !== NO_FIELDS) {
      within(name, (value as Record<string, unknown>)[name], field, search);
    }
  }
}

function within(name: string, value: unknown, known: KnownFields, search: Search): void {
  search.path.push(name);
  collect(value, known, search);
  search.path.pop();
}
