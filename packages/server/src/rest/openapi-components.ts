// The schemas of the OpenAPI document that have a name: each stands in it once, and everything else refers to it.
import { PublishInput } from '@hypercode/contracts';
import { z } from 'zod';

type JsonObject = Record<string, unknown>;

/** Descriptions without names: a schema that is written into another one has no name there. */
class Descriptions extends z.core.$ZodRegistry<z.core.GlobalMeta> {
  override get(schema: z.core.$ZodType): (z.core.GlobalMeta & z.core.JSONSchemaMeta) | undefined {
    const { id: _, ...rest } = z.globalRegistry.get(schema) ?? {};
    return rest;
  }
}
const metadata = new Descriptions() as typeof z.globalRegistry;

/** Named schemas of what callers send and of what they receive. One that is both has the form in which it is received. */
export class Components {
  readonly #inputs = new Map<z.core.$ZodType, string>();
  readonly #outputs = new Map<z.core.$ZodType, string>();

  constructor({ sent, received }: { sent: Iterable<z.ZodType>; received: Iterable<z.ZodType> }) {
    for (const schema of received) addNamed(this.#outputs, schema);
    for (const schema of sent) addNamed(this.#inputs, schema);
    for (const schema of this.#outputs.keys()) this.#inputs.delete(schema);
  }

  get schemas(): JsonObject {
    return { ...componentsOf(this.#inputs, 'input'), ...componentsOf(this.#outputs, 'output') };
  }

  /** Throws for a schema that has no name and is not made of such as have one. */
  referenceTo(schema: z.ZodType): JsonObject {
    const name = this.#inputs.get(schema) ?? this.#outputs.get(schema);
    if (name !== undefined) return { $ref: uriOf(name) };
    if (schema instanceof z.ZodUnknown) return {};
    if (schema instanceof z.ZodArray)
      return { ...inlineSchema(schema), items: this.referenceTo(schema.element as z.ZodType) };
    if (schema instanceof z.ZodUnion)
      return { anyOf: schema.options.map((option) => this.referenceTo(option as z.ZodType)) };
    throw new Error('a schema of a route has no name in the OpenAPI document');
  }
}

/** A schema that is written where it is used. */
export const inlineSchema = (schema: z.ZodType): JsonObject =>
  withoutIds(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', metadata, override }));

const uriOf = (name: string): string => `#/components/schemas/${name}`;

/** Adds `schema`, and every schema in it, that has a name. */
function addNamed(named: Map<z.core.$ZodType, string>, schema: z.core.$ZodType): void {
  const id = z.globalRegistry.get(schema)?.id;
  if (id !== undefined) {
    if (named.has(schema)) return;
    named.set(schema, id);
  }
  for (const part of Object.values(schema._zod.def)) for (const inner of schemasIn(part)) addNamed(named, inner);
}

/** The schemas that a part of a definition holds: itself, a list of them, or a shape. */
function schemasIn(part: unknown): z.core.$ZodType[] {
  if (part instanceof z.core.$ZodType) return [part];
  if (typeof part !== 'object' || part === null) return [];
  return Object.values(part).filter((value) => value instanceof z.core.$ZodType);
}

function componentsOf(named: ReadonlyMap<z.core.$ZodType, string>, io: 'input' | 'output'): JsonObject {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of named) registry.add(schema, { id });
  const describe = (context: SchemaContext): void => {
    override(context);
    sayDefault(context.jsonSchema, io);
  };
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: uriOf,
    unrepresentable: 'any',
    metadata,
    override: describe,
  });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutIds(schema)]));
}

const EVENT_DATA: unknown = PublishInput.shape.data;

interface SchemaContext {
  readonly zodSchema: z.core.$ZodTypes;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

/** Free JSON is an object (the schemas of capabilities), except for the data of events; answers may gain fields later. */
function override({ zodSchema, jsonSchema }: SchemaContext): void {
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  if (zodSchema._zod.def.type !== 'custom' || zodSchema === EVENT_DATA) return;
  jsonSchema.type = 'object';
  // Without it, generators of types take it as an object without fields.
  jsonSchema.additionalProperties = true;
}

/**
 * A field with the keyword `default` is one that callers need not send, but generators of types (openapi-typescript) take it as one
 * that is always there. So the default is in the description.
 */
function sayDefault(schema: z.core.JSONSchema.BaseSchema, io: 'input' | 'output'): void {
  const { default: value, description = '' } = schema;
  if (value === undefined) return;
  delete schema.default;
  if (io === 'output' || description.includes('Default:')) return;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  schema.description = `${description} Default: \`${text}\`.`.trim();
}

/** Ids and dialects are for schemas that stand alone. */
const withoutIds = (schema: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$id' && key !== '$schema'));
