// Parameters of a URL's query: strings on the wire, what the procedures take behind it.
import { invalidField, LIMITS, Name, Namespace } from '@hypercode/contracts';
import { z } from 'zod';

/** A parameter as given: once, or several times. */
type Given = string | string[];

export interface Parameter {
  /** What the wire holds, for the documentation; the procedure checks. */
  schema: z.ZodType;
  description: string;
  /** Default: it can be left out. */
  required?: true;
  /** What the procedure is handed. What does not fit goes on as it is, for the procedure to refuse by name. */
  decode: (given: Given, name: string) => unknown;
}

export type Parameters = Readonly<Record<string, Parameter>>;

export const textParameter = (schema: z.ZodType, description: string): Parameter => ({
  schema,
  description,
  decode: (given) => given,
});

export const integerParameter = (schema: z.ZodType, description: string): Parameter => ({
  schema,
  description,
  decode: (given) => (typeof given === 'string' && /^\d{1,16}$/.test(given) ? Number(given) : given),
});

/** Given once for each value. */
export const listParameter = (schema: z.ZodType, description: string): Parameter => ({
  schema,
  description,
  decode: (given) => (typeof given === 'string' ? [given] : given),
});

export const required = (parameter: Parameter): Parameter => ({ ...parameter, required: true });

export const namespaceParameter = textParameter(Namespace.default('default'), 'The namespace. Default: `default`.');

/** `labels=key=value`, once for each label, or all of them as one JSON object. */
export const labelsParameter: Parameter = {
  schema: z.array(z.string().max(LIMITS.nameLength + 1 + LIMITS.labelValueLength)).max(LIMITS.labels),
  description: 'Labels of the agent: `key=value`, repeated for more, or one JSON object.',
  decode: (given, name) => {
    const pairs = typeof given === 'string' ? [given] : given;
    const [first] = pairs;
    if (pairs.length === 1 && first?.startsWith('{') === true) return parseObject(first, name);
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

/** What of a query the parameters know; the rest is ignored. */
export function decodeParameters(parameters: Parameters, query: unknown): Record<string, unknown> {
  const given = query as Readonly<Record<string, Given | undefined>>;
  const decoded: Record<string, unknown> = {};
  for (const [name, { decode }] of Object.entries(parameters)) {
    const value = given[name];
    if (value !== undefined) decoded[name] = decode(value, name);
  }
  return decoded;
}

function parseObject(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidField(name, 'must be key=value, or a JSON object');
  }
}
