// The form for an answer, made from the schema of the question: fields that a browser has. Any other schema is answered as JSON.
import type { Json } from '@hypercode/contracts';

export interface AnswerField {
  /** Of the property. */
  readonly name: string;
  readonly label: string;
  readonly kind: 'text' | 'number' | 'flag' | 'choice';
  readonly isRequired: boolean;
  /** Of a choice: each as JSON. */
  readonly choices: readonly string[];
}

/** More than a person fills in here is answered as JSON. */
const MAX_FIELDS = 20;
const MAX_CHOICES = 50;

/** Null: the answer is given as JSON. */
export function fieldsOf(schema: Json): AnswerField[] | null {
  if (!isObject(schema) || schema['type'] !== 'object' || !isObject(schema['properties'])) return null;
  const required = Array.isArray(schema['required']) ? schema['required'] : [];
  const properties = Object.entries(schema['properties']);
  if (properties.length === 0 || properties.length > MAX_FIELDS) return null;
  const fields = properties.map(([name, property]) => fieldOf(name, property, required.includes(name)));
  return fields.every((field) => field !== null) ? fields : null;
}

function fieldOf(name: string, property: Json, isRequired: boolean): AnswerField | null {
  if (!isObject(property)) return null;
  const { title, type } = property;
  const label = typeof title === 'string' && title !== '' ? title : name;
  const field = { name, label, isRequired, choices: [] };
  if (Array.isArray(property['enum'])) {
    const choices = property['enum'].map((one) => JSON.stringify(one));
    return choices.length === 0 || choices.length > MAX_CHOICES ? null : { ...field, kind: 'choice', choices };
  }
  if (type === 'string') return { ...field, kind: 'text' };
  if (type === 'number' || type === 'integer') return { ...field, kind: 'number' };
  return type === 'boolean' ? { ...field, kind: 'flag' } : null;
}

/** What was filled in, as JSON. What was left empty is left out, unless it has to be there. */
export function answerOf(fields: readonly AnswerField[], given: Readonly<Record<string, string>>): Json {
  const entries = fields.flatMap(({ name, kind, isRequired }): [string, Json][] => {
    const value = given[name] ?? '';
    if (kind === 'flag') return [[name, value === 'true']];
    if (value === '' && !(kind === 'text' && isRequired)) return [];
    if (kind === 'text') return [[name, value]];
    return [[name, kind === 'number' ? Number(value) : (JSON.parse(value) as Json)]];
  });
  return Object.fromEntries(entries);
}

const isObject = (value: Json | undefined): value is { [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
