// The OpenAPI 3.1 document, made from the same table as the routes.
import {
  API_HEADER,
  API_VERSION,
  ERROR_CODES,
  type ErrorCode,
  IGNORED_HEADER,
  Problem,
  PROBLEM_MEDIA_TYPE,
  SwarmErrorBody,
} from '@hypercode/contracts';
import type { z } from 'zod';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { Components, inlineSchema } from './openapi-components.ts';
import type { RouteDescription } from './route.ts';

/** What every call with a token can end with. */
const COMMON_ERRORS: readonly ErrorCode[] = [
  'INVALID_INPUT',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'FENCED',
  'UNAVAILABLE',
  'INTERNAL',
];

type JsonObject = Record<string, unknown>;

export function openApiDocument(routes: readonly RouteDescription[]): JsonObject {
  const components = new Components({
    sent: routes.flatMap(({ body = {} }) => Object.values(body)),
    received: [
      ...routes.flatMap(({ answers }) => Object.values(answers).map(({ schema }) => schema)),
      Problem,
      SwarmErrorBody,
    ],
  });
  const paths: Record<string, JsonObject> = {};
  for (const route of routes) (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(route, components);
  return {
    openapi: '3.1.0',
    info: {
      title: 'HyperCode Swarm',
      version: '1',
      description:
        'The registry and the event bus of a swarm of agents. New fields, enum values, error codes and types of stream events may be ' +
        `added to answers: ignore what you do not know. Unknown fields and parameters of a request are refused with \`INVALID_INPUT\`; ` +
        'fields of an answer that only the core writes may be sent back, and are ignored. A client that was written for a later ' +
        `version of the API than \`core.api\` of \`whoami\` (now ${API_VERSION}) names its version in the header \`${API_HEADER}\`: then ` +
        `unknown fields and parameters are ignored, and listed in the header \`${IGNORED_HEADER}\` of the answer. JSON is read as it ` +
        'is: a number that cannot be kept exactly is refused, and of a name that is given twice the last value counts.',
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
      { name: 'plans', description: 'Goals, and the plans by which the Architect carries them out.' },
      { name: 'questions', description: 'What agents ask people, and the answers.' },
      { name: 'policy', description: 'Which topics each role may publish and subscribe to.' },
      {
        name: 'tokens',
        description: 'The calling token, and tokens for agents that join, viewers, operators and admins.',
      },
      {
        name: 'operations',
        description: 'The swarm as a whole: replicas, namespaces, statistics, and what operators did.',
      },
    ],
    security: [{ token: [] }],
    paths,
    components: {
      schemas: components.schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(route: RouteDescription, components: Components): JsonObject {
  const {
    operationId,
    tag,
    summary,
    description,
    pathParameters,
    query,
    headers = {},
    body,
    bodyOptional = false,
    answers,
    errors,
  } = route;
  const inPath = Object.entries(pathParameters).map(([name, schema]) => ({
    name,
    in: 'path',
    required: true,
    schema: parameterSchema(schema),
  }));
  const inQuery = Object.entries(query).map(([name, parameter]) => ({
    name,
    in: 'query',
    description: parameter.description,
    ...(parameter.required ? { required: true } : {}),
    schema: parameterSchema(parameter.schema),
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
              Object.entries(body).map(([mediaType, schema]) => [
                mediaType,
                { schema: components.referenceTo(schema) },
              ]),
            ),
          },
        }),
    responses: {
      ...answersOf(answers, components),
      ...errorsOf([...COMMON_ERRORS, ...errors], components),
      ...(body === undefined ? {} : { 415: problem('`INVALID_INPUT`: the body has a content encoding', components) }),
    },
  };
}

/** The description of a parameter stands beside its schema. */
function parameterSchema(schema: z.ZodType): JsonObject {
  const { description: _, ...rest } = inlineSchema(schema);
  return rest;
}

function answersOf(answers: RouteDescription['answers'], components: Components): JsonObject {
  return Object.fromEntries(
    Object.entries(answers).map(([status, { description, schema, mediaType = JSON_MEDIA_TYPE }]) => [
      status,
      { description, content: { [mediaType]: { schema: components.referenceTo(schema) } } },
    ]),
  );
}

/** One answer for each status, which several codes can share. */
function errorsOf(codes: readonly ErrorCode[], components: Components): JsonObject {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERROR_CODES[code].http);
  return Object.fromEntries(
    [...byStatus].map(([status, shared]) => [
      String(status),
      problem(shared.map((code) => `\`${code}\``).join(', '), components),
    ]),
  );
}

const problem = (description: string, components: Components): JsonObject => ({
  description,
  content: { [PROBLEM_MEDIA_TYPE]: { schema: components.referenceTo(Problem) } },
});
