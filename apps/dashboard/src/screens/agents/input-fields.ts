// A form for the input of a capability, made of its JSON Schema. Schemas are data of strangers: they are read, and nothing in them runs.

export interface InputField {
  readonly name: string;
  readonly kind: 'text' | 'number' | 'integer' | 'boolean' | 'choice' | 'json';
  readonly isRequired: boolean;
  readonly title: string | null;
  readonly description: string | null;
  /** Of a choice. */
  readonly values: readonly string[];
  /** What the field has at first, as a person would type it. */
  readonly initial: string;
}

const MAX_FIELDS = 40;
const MAX_VALUES = 100;
const MAX_LENGTH = 300;

/** Those that are required first. Null when the schema is not one of an object with fields: then the input is written as JSON. */
export function fieldsOf(schema: unknown): readonly InputField[] | null {
  if (!isPlain(schema) || schema['type'] !== 'object' || !isPlain(schema['properties'])) return null;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const properties = Object.entries(schema['properties']);
  if (properties.length === 0 || properties.length > MAX_FIELDS) return null;
  return properties
    .map(([name, property]) => fieldOf(name, property, required.includes(name)))
    .toSorted((a, b) => Number(b.isRequired) - Number(a.isRequired));
}

function fieldOf(name: string, property: unknown, isRequired: boolean): InputField {
  const { type, enum: values, title, description, default: first } = isPlain(property) ? property : {};
  const choices = Array.isArray(values) ? values.filter((value): value is string => typeof value === 'string') : [];
  const isChoice = Array.isArray(values) && choices.length === values.length && choices.length <= MAX_VALUES;
  const kind = isChoice && choices.length > 0 ? 'choice' : (KINDS[String(type)] ?? 'json');
  return {
    name,
    kind,
    isRequired,
    title: textOf(title),
    description: textOf(description),
    values: isChoice ? choices : [],
    initial: first === undefined ? '' : kind === 'json' || typeof first !== 'string' ? JSON.stringify(first) : first,
  };
}

const KINDS: Readonly<Record<string, InputField['kind']>> = {
  string: 'text',
  number: 'number',
  integer: 'integer',
  boolean: 'boolean',
};

const textOf = (value: unknown): string | null =>
  typeof value === 'string' && value !== '' ? value.slice(0, MAX_LENGTH) : null;

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * The input that was typed. An optional field that is empty is left out.
 * @throws SyntaxError when a field is not JSON that has to be.
 */
export function inputOf(fields: readonly InputField[], typed: ReadonlyMap<string, string>): Record<string, unknown> {
  const entries = fields.flatMap(({ name, kind, isRequired, initial }): [string, unknown][] => {
    const text = typed.get(name) ?? initial;
    if (text === '' && (!isRequired || kind !== 'text')) return [];
    if (kind === 'text' || kind === 'choice') return [[name, text]];
    return [[name, JSON.parse(text)]];
  });
  return Object.fromEntries(entries);
}
