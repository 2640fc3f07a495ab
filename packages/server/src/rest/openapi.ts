// The OpenAPI 3.1 document, made from the same table as the routes.
import { ERROR_CODES, type ErrorCode, Problem, PROBLEM_MEDIA_TYPE, PublishInput } from '@hypercode/contracts';
import { z } from 'zod';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { INPUTS, OUTPUTS } from './openapi-schemas.ts';
import type { RouteDescription } from './route.ts';

/** What every call with a token can end in. */
const COMMON_REFUSALS: readonly ErrorCode[] = [
  'INVALID_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'FENCED',
  'UNAVAILABLE',
  'INTERNAL',
];

type JsonObject = Record<string, unknown>;

export function openApiDocument(routes: readonly RouteDescription[]): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'HyperCode Swarm',
      version: '1',
      description:
        'The registry and the event bus of a swarm of agents. Unknown fields are ignored. New fields may be added to answers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'agents', description: 'The agents: what they can do, and whether they are healthy.' },
      {
        name: 'events',
        description: 'Events that agents publish, and that every permitted client can read or follow.',
      },
      {
        name: 'groups',
        description: 'Consumer groups: each event goes to one member at a time, until it is acknowledged.',
      },
      { name: 'policy', description: 'Which topics each role may publish and subscribe to.' },
      { name: 'tokens', description: 'Tokens for agents that join, for viewers and for admins.' },
    ],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: { ...componentsOf(INPUTS, 'input'), ...componentsOf(OUTPUTS, 'output') },
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(route: RouteDescription): JsonObject {
  const {
    operationId,
    tag,
    summary,
    description,
    pathParameters = {},
    query,
    headers = {},
    body,
    bodyOptional = false,
    answers,
    refusals = [],
  } = route;
  const inPath = Object.entries(pathParameters).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: inlineSchema(schema),
  }));
  const inQuery = Object.entries(query).map(([name, parameter]) => ({
    name,
    in: 'query',
    description: parameter.description,
    ...(parameter.required === true ? { required: true } : {}),
    schema: inlineSchema(parameter.schema),
  }));
  const inHeaders = Object.entries(headers).map(([name, header]) => ({
    name,
    in: 'header',
    description: header.description,
    schema: inlineSchema(header.schema),
  }));
  return {
    operationId,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    parameters: [...inPath, ...inQuery, ...inHeaders],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !bodyOptional,
            content: Object.fromEntries(
              Object.entries(body).map(([mediaType, schema]) => [mediaType, { schema: referenceTo(schema) }]),
            ),
          },
        }),
    responses: { ...answersOf(answers), ...refusalsOf([...COMMON_REFUSALS, ...refusals]) },
  };
}

function answersOf(answers: RouteDescription['answers']): JsonObject {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema, mediaType = JSON_MEDIA_TYPE }]) => [
      status,
      { description, content: { [mediaType]: { schema: referenceTo(schema) } } },
    ]),
  );
}

/** One answer for each status, which several codes can share. */
function refusalsOf(codes: readonly ErrorCode[]): JsonObject {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERROR_CODES[code].http);
  return Object.fromEntries(
    [...byStatus].map(([status, shared]) => [
      String(status),
      {
        description: shared.map((code) => `\`${code}\``).join(', '),
        content: { [PROBLEM_MEDIA_TYPE]: { schema: referenceTo(Problem) } },
      },
    ]),
  );
}

const EVENT_DATA: unknown = PublishInput.shape.data;
const NAMES = new Map(Object.entries({ ...INPUTS, ...OUTPUTS }).map(([name, schema]) => [schema, name]));
const uriOf = (name: string): string => `#/components/schemas/${name}`;

function referenceTo(schema: z.ZodType): JsonObject {
  const name = NAMES.get(schema);
  if (name !== undefined) return { $ref: uriOf(name) };
  if (schema instanceof z.ZodUnknown) return {};
  if (schema instanceof z.ZodArray) return { ...inlineSchema(schema), items: referenceTo(schema.element as z.ZodType) };
  if (schema instanceof z.ZodUnion) return { anyOf: schema.options.map((option) => referenceTo(option as z.ZodType)) };
  throw new Error('a schema of a route has no name in the OpenAPI document');
}

const inlineSchema = (schema: z.ZodType): JsonObject =>
  withoutIds(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', override }));

function componentsOf(named: Readonly<Record<string, z.ZodType>>, io: 'input' | 'output'): JsonObject {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io, uri: uriOf, unrepresentable: 'any', override });
  return Object.fromEntries(Object.entries(schemas).map(([id, schema]) => [id, withoutIds(schema)]));
}

/** Free JSON is an object (the schemas of capabilities), but for events; what an answer may gain later is not forbidden. */
function override({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}) {
  if (zodSchema._zod.def.type === 'custom' && zodSchema !== EVENT_DATA) jsonSchema.type = 'object';
  if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
}

/** Ids and dialects are for schemas that stand alone. */
const withoutIds = (schema: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$id' && key !== '$schema'));
