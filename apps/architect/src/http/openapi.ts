// The OpenAPI 3.1 document of the Architect, made from the schemas that its routes check and answer with.
import {
  CancelledGoal,
  type ErrorCode,
  GoalSubmission,
  PlanList,
  PlanSummary,
  PlanView,
  Problem,
  PROBLEM_MEDIA_TYPE,
  RetriedPlan,
  SubmittedGoal,
} from '@hypercode/contracts';
import { z } from 'zod';
import { CancelGoalBody } from './goals.controller.ts';
import { ListQuery, ReasonBody, StreamQuery } from './plans.controller.ts';

type JsonObject = Record<string, unknown>;

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly query?: z.ZodObject;
  readonly body?: { readonly schema: z.ZodType; readonly required: boolean };
  /** By status. A text is the media type of an answer that is no JSON. */
  readonly answers: Readonly<Record<number, readonly [description: string, schema: z.ZodType | string]>>;
  /** Absent: the route is open, and refuses nothing. */
  readonly errors?: readonly ErrorCode[];
}

const HealthAnswer = z.looseObject({ status: z.string() });

/** By method and path, as Nest has them. A test compares them with the controllers. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  'POST /v1/goals': {
    operationId: 'submitGoal',
    summary: 'Submits a goal. A goal id that was submitted before adds nothing.',
    body: { schema: GoalSubmission, required: true },
    answers: { 202: ['The goal was accepted. `location` is the address of its plan.', SubmittedGoal] },
    errors: ['INVALID_INPUT', 'PAYLOAD_TOO_LARGE'],
  },
  'POST /v1/goals/{goalId}/cancel': {
    operationId: 'cancelGoal',
    summary: 'Cancels a goal. One that has ended stays as it is.',
    body: { schema: CancelGoalBody, required: false },
    answers: { 202: ['The Architect cancels the plan.', CancelledGoal] },
    errors: ['INVALID_INPUT'],
  },
  'GET /v1/plans': {
    operationId: 'listPlans',
    summary: 'Lists plans, the newest first.',
    query: ListQuery,
    answers: { 200: ['A page of plans.', PlanList] },
    errors: ['INVALID_INPUT'],
  },
  'GET /v1/plans/stream': {
    operationId: 'watchPlans',
    summary: 'Follows plans live: each as it is, `synced`, then each that has changed, at most twice a second each.',
    query: StreamQuery,
    answers: { 200: ['Server-sent events: `event:` is the type, `data:` is the PlanEvent.', 'text/event-stream'] },
    errors: ['INVALID_INPUT', 'NOT_FOUND'],
  },
  'GET /v1/plans/{planId}': {
    operationId: 'getPlan',
    summary: 'Reads a plan, with its tasks, their attempts and the outputs.',
    answers: { 200: ['The plan.', PlanView] },
    errors: ['INVALID_INPUT', 'NOT_FOUND'],
  },
  'GET /v1/plans/{planId}/mermaid': {
    operationId: 'drawPlan',
    summary: 'Reads a plan as a Mermaid flowchart.',
    answers: { 200: ['The diagram.', 'text/vnd.mermaid'] },
    errors: ['INVALID_INPUT', 'NOT_FOUND'],
  },
  'POST /v1/plans/{planId}/retry': {
    operationId: 'retryPlan',
    summary: 'Lets a failed plan go on from where it failed.',
    body: { schema: ReasonBody, required: false },
    answers: { 202: ['The Architect goes on with the plan.', RetriedPlan] },
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'CONFLICT'],
  },
  'POST /v1/plans/{planId}/cancel': {
    operationId: 'cancelPlan',
    summary: 'Cancels a plan.',
    body: { schema: ReasonBody, required: false },
    answers: { 202: ['The plan, cancelled or about to be.', PlanSummary] },
    errors: ['INVALID_INPUT', 'NOT_FOUND', 'CONFLICT'],
  },
  'GET /health': {
    operationId: 'health',
    summary: 'Reports the health of the agent, and whether it is active or a standby.',
    answers: { 200: ['It is registered.', HealthAnswer], 503: ['It is not.', HealthAnswer] },
  },
  'GET /ready': {
    operationId: 'ready',
    summary: 'Reports whether goals can be accepted.',
    answers: { 200: ['They can.', HealthAnswer], 503: ['They cannot; each check says why.', HealthAnswer] },
  },
  'GET /metrics': {
    operationId: 'metrics',
    summary: 'Metrics for Prometheus.',
    answers: { 200: ['The metrics.', 'text/plain'] },
  },
  'GET /openapi.json': {
    operationId: 'openapi',
    summary: 'This document.',
    answers: { 200: ['The document.', z.looseObject({})] },
  },
};

/** What every route for goals and plans can answer. */
const COMMON_ERRORS: readonly ErrorCode[] = ['UNAUTHENTICATED', 'FORBIDDEN', 'UNAVAILABLE', 'INTERNAL'];

/** `hasToken`: whether goals and plans need the token of the Architect. */
export function openApiDocument({ version, hasToken }: { version: string; hasToken: boolean }): JsonObject {
  const paths: Record<string, JsonObject> = {};
  for (const [route, operation] of Object.entries(OPERATIONS)) {
    const [method = '', path = ''] = route.split(' ');
    (paths[path] ??= {})[method.toLowerCase()] = operationOf(path, operation);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'HyperCode Swarm: the Architect',
      version,
      description:
        'Submits goals, and reads, follows, retries and cancels the plans that lead to them, as the core does. Each path is also ' +
        'served without `/v1`. New fields may be added to answers.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    // An empty requirement means that the token may be left out.
    security: hasToken ? [{ token: [] }] : [{}],
    paths,
    components: { schemas: components(), securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
  };
}

function operationOf(path: string, { query, body, answers, errors, ...said }: Operation): JsonObject {
  const ids = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    ...{ name, in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
  }));
  const queried = Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    ...{ name, in: 'query', required: false, schema: inline(schema as z.ZodType) },
  }));
  const responses = Object.entries(answers).map(([status, [description, schema]]) => {
    const content =
      typeof schema === 'string' ? { [schema]: {} } : { 'application/json': { schema: schemaOf(schema) } };
    return [status, { description, content }];
  });
  const refused = { description: describeErrors([...COMMON_ERRORS, ...(errors ?? [])]), content: PROBLEM_CONTENT };
  return {
    ...said,
    ...(errors === undefined ? { security: [] } : {}),
    parameters: [...ids, ...queried],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: body.required,
            content: { 'application/json': { schema: schemaOf(body.schema) } },
          },
        }),
    responses: { ...Object.fromEntries(responses), ...(errors === undefined ? {} : { default: refused }) },
  };
}

const describeErrors = (codes: readonly ErrorCode[]): string => `A refusal: ${codes.join(', ')}.`;

/** Schemas with names: what callers send as they may write it, and the others as they are answered. */
const SENT: ReadonlyMap<z.ZodType, string> = new Map([[GoalSubmission, 'GoalSubmission']]);
const RECEIVED: ReadonlyMap<z.ZodType, string> = new Map<z.ZodType, string>([
  [CancelledGoal, 'CancelledGoal'],
  [PlanList, 'PlanList'],
  [PlanSummary, 'PlanSummary'],
  [PlanView, 'PlanView'],
  [Problem, 'Problem'],
  [RetriedPlan, 'RetriedPlan'],
  [SubmittedGoal, 'SubmittedGoal'],
]);

const uriOf = (name: string): string => `#/components/schemas/${name}`;
const PROBLEM_CONTENT = { [PROBLEM_MEDIA_TYPE]: { schema: { $ref: uriOf('Problem') } } };

function components(): JsonObject {
  const made = [SENT, RECEIVED].flatMap((named) => {
    const registry = z.registry<{ id: string }>();
    for (const [schema, id] of named) registry.add(schema, { id });
    const io = named === SENT ? 'input' : 'output';
    return Object.entries(z.toJSONSchema(registry, { ...FORM, io, uri: uriOf }).schemas);
  });
  return Object.fromEntries(made.map(([id, schema]) => [id, plain(schema)]));
}

function schemaOf(schema: z.ZodType): JsonObject {
  const name = SENT.get(schema) ?? RECEIVED.get(schema);
  return name === undefined ? inline(schema) : { $ref: uriOf(name) };
}

const inline = (schema: z.ZodType): JsonObject => plain(z.toJSONSchema(schema, { ...FORM, io: 'input' }));

/** Free JSON is anything, and answers may gain fields. */
const FORM = {
  unrepresentable: 'any',
  override: ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void => {
    if (jsonSchema.additionalProperties === false) delete jsonSchema.additionalProperties;
  },
} as const;

/** Ids and dialects are for schemas that stand alone. */
const plain = (schema: object): JsonObject =>
  Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$id' && key !== '$schema' && key !== 'id'));
