// Parameters of a URL's query: strings on the wire, fields of an input for the procedures.
import { invalidField, Labels, LIMITS, Name, StartFrom, type SwarmError } from '@hypercode/contracts';
import { z } from 'zod';
import { readJson } from '../intake/json-text.ts';
import { hintFor, type IgnoredNames } from '../procedures/unknown-fields.ts';

/** A parameter as given: once, or several times. */
type Given = string | string[];

export interface Parameter {
  /** What the wire holds, for the documentation; the procedure checks. */
  schema: z.ZodType;
  description: string;
  required: boolean;
  /** What the procedure is handed. What does not fit goes on as it is, for the procedure to refuse by name. */
  decode: (given: Given, name: string) => unknown;
}

export type Parameters = Readonly<Record<string, Parameter>>;

/** The parameter for a field of an input. Throws for a field that has no description, or no form in a query. */
export function parameterOf(field: z.ZodType): Parameter {
  const { description } = field;
  if (description === undefined) throw new Error('a field of a query has no description');
  const required = !field.safeParse(undefined).success;
  return { schema: field, description, required, decode: (given) => given, ...formOf(unwrapped(field), description) };
}

/** How values of a kind are written in a query. */
function formOf(schema: z.core.$ZodType, description: string): Partial<Parameter> {
  if (schema === StartFrom) return START_FROM;
  if (schema === Labels) return LABELS;
  if (schema instanceof z.ZodNumber) return { decode: integerOf };
  if (schema instanceof z.ZodBoolean) return { decode: booleanOf };
  if (schema instanceof z.ZodArray) {
    return {
      description: `${description} Repeat the parameter for more.`,
      decode: (given) => (typeof given === 'string' ? [given] : given),
    };
  }
  if (schema instanceof z.ZodObject || schema instanceof z.ZodRecord)
    throw new Error('a query has no form for an object');
  return {};
}

const unwrapped = (schema: z.core.$ZodType): z.core.$ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodDefault ? unwrapped(schema.unwrap()) : schema;

const integerOf = (given: Given): unknown =>
  typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given;

const booleanOf = (given: Given): unknown => (given === 'true' ? true : given === 'false' ? false : given);

const START_FROM: Partial<Parameter> = {
  schema: z.string().max(LIMITS.cursorLength).default('latest'),
  description:
    'Where to start: `latest`, `earliest`, a position, after which the stream continues, or an ISO time, whose events it includes. ' +
    '`Last-Event-ID` takes precedence.',
  decode: (given) =>
    typeof given !== 'string' || given === 'latest' || given === 'earliest'
      ? given
      : given.includes('T')
        ? { time: given }
        : { after: given },
};

/** `labels=key=value`, once for each label, or all of them as one JSON object. */
const LABELS: Partial<Parameter> = {
  schema: z.array(z.string().max(LIMITS.nameLength + 1 + LIMITS.labelValueLength)).max(LIMITS.labels),
  description: 'Labels of the agent: `key=value`, repeated for more, or one JSON object.',
  decode: (given, name) => {
    const pairs = typeof given === 'string' ? [given] : given;
    const [first] = pairs;
    if (pairs.length === 1 && first?.startsWith('{') === true) return readJson(first, name);
    const labels = new Map<string, string>();
    for (const pair of pairs) {
      const split = pair.indexOf('=');
      const key = pair.slice(0, split);
      if (split === -1 || !Name.safeParse(key).success) throw invalidField(name, 'must be key=value, or a JSON object');
      if (labels.has(key)) throw invalidField(name, 'must name each label once');
      labels.set(key, pair.slice(split + 1));
    }
    return Object.fromEntries(labels);
  },
};

export interface KnownNames {
  /** Parameters that may be there, and are not decoded here. */
  known: Parameters;
  /** Null: other parameters are refused. */
  ignored: IgnoredNames | null;
}

/** What of a query the parameters know. INVALID_INPUT for a parameter that is not known. */
export function decodeParameters(
  parameters: Parameters,
  query: unknown,
  { known, ignored }: KnownNames,
): Record<string, unknown> {
  const given = query as Readonly<Record<string, Given | undefined>>;
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    if (ignored === null) throw unknownParameter(name, known);
    ignored.note(name);
  }
  const decoded: Record<string, unknown> = {};
  for (const [name, { decode }] of Object.entries(parameters)) {
    const value = given[name];
    if (value !== undefined) decoded[name] = decode(value, name);
  }
  return decoded;
}

function unknownParameter(name: string, known: Parameters): SwarmError<'INVALID_INPUT'> {
  const hint = hintFor(name, Object.keys(known));
  return invalidField(name.slice(0, LIMITS.nameLength), `is no parameter here${hint}`);
}
