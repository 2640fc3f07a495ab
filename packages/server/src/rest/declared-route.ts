// The REST route of a declared procedure. What a route does beside that, its variation says.
import { LIMITS, type Procedure, type ProcedureName, type RestForm } from '@hypercode/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Core } from '../context.ts';
import { identityOf } from '../intake/authenticate.ts';
import { statedLength, takeBody } from '../intake/bodies.ts';
import { readJson, textOf } from '../intake/json-text.ts';
import { assertMayCall } from '../procedures/authorise.ts';
import type { Call } from '../procedures/handler.ts';
import { answer, openStream, servedProcedure, type ServedProcedure } from '../procedures/procedures.ts';
import { ignoredNamesFor } from '../procedures/unknown-fields.ts';
import { FREE, type Outgoing } from '../outgoing/outgoing.ts';
import { RequestOutgoing } from '../outgoing/request-outgoing.ts';
import { type FrameEncoder, plainEncoder, plainFrames } from '../sse/frames.ts';
import { serveStream } from '../sse/serve-stream.ts';
import { untilGone } from '../until-gone.ts';
import { JSON_MEDIA_TYPE, jsonBody } from './json-body.ts';
import { mergeInput } from './merge-input.ts';
import { decodeParameters, parameterOf, type Parameters } from './parameters.ts';
import { asCloudEvents, type CloudEventForm, FORMAT } from './event-format.ts';
import type { Route, RouteDescription } from './route.ts';

/** A call of a route, before its input is put together. */
export interface RestCall extends Call {
  readonly request: FastifyRequest;
  /** The parameters of path and query that are fields of the input. */
  readonly fromUrl: Record<string, unknown>;
}

/** Where a route differs from what its declaration makes of it. */
export interface Variation extends Partial<
  Pick<RouteDescription, 'body' | 'headers' | 'pathParameters'> & Pick<Route, 'anyMediaType' | 'maxBodyBytes'>
> {
  /** Schema of the body of each answer. Default: the output. */
  answer?: z.ZodType;
  /** Default: the URL's parameters and the body's fields together are the input of the procedure. */
  call?: (call: RestCall) => Promise<unknown>;
  /** Default: the first of the declared statuses. */
  statusOf?: (result: never) => number;
  headersOf?: (result: never, fromUrl: Readonly<Record<string, unknown>>) => Record<string, string>;
  /** How the events of the answer are given as CloudEvents; then the route has the parameter `format`. */
  cloudEvents?: CloudEventForm;
}

const RESUME_HEADERS = {
  'Last-Event-ID': {
    schema: z.string(),
    description: 'The `id:` of the last event that was received. The stream continues after it.',
  },
};
/** For clients that cannot set the header. */
const RESUME_PARAMETER: Parameters = {
  lastEventId: {
    schema: z.string().max(LIMITS.cursorLength),
    description: 'The same as the header `Last-Event-ID`, which takes precedence.',
    required: false,
    decode: (given) => (given === '' ? undefined : given),
  },
};

export function declaredRoute(name: ProcedureName, rest: RestForm, variation: Variation = {}): Route {
  const procedure = servedProcedure(name);
  const { declared } = procedure;
  const {
    answer: schema = declared.output,
    pathParameters,
    call,
    statusOf,
    headersOf,
    cloudEvents,
    ...differences
  } = variation;
  const stream = declared.kind === 'subscription';
  const mediaType = stream ? 'text/event-stream' : JSON_MEDIA_TYPE;
  const description = rest.description ?? declared.description;
  const { maxInputBytes: maxBodyBytes = LIMITS.inputBytes } = declared;
  const query = { ...queryOf(declared, rest), ...(stream ? RESUME_PARAMETER : {}) };
  const known = cloudEvents === undefined ? query : { ...query, ...FORMAT };
  const [status = 200] = Object.keys(rest.answers).map(Number);
  const serving: Serving = {
    procedure,
    rest,
    query,
    known,
    call: call ?? ((made) => answer(procedure, made, inputOf(rest, made, maxBodyBytes))),
    statusOf: statusOf ?? (() => status),
    headersOf: headersOf ?? (() => ({})),
    cloudEvents,
  };
  return {
    method: rest.method,
    path: rest.path,
    operationId: rest.operationId,
    tag: rest.tag,
    summary: rest.summary ?? declared.summary,
    ...(description === undefined ? {} : { description }),
    pathParameters:
      pathParameters ?? Object.fromEntries(fieldsOfPath(rest).map((field) => [field, shapeOf(declared, field)])),
    query: known,
    ...(stream ? { headers: RESUME_HEADERS } : {}),
    ...(rest.body === undefined ? {} : { body: { [JSON_MEDIA_TYPE]: rest.body } }),
    bodyOptional: rest.bodyOptional ?? false,
    answers: Object.fromEntries(
      Object.entries(rest.answers).map(([code, text]) => [code, { description: text, schema, mediaType }]),
    ),
    errors: rest.body === undefined ? declared.errors : [...declared.errors, 'PAYLOAD_TOO_LARGE'],
    stream,
    maxBodyBytes,
    anyMediaType: false,
    admit: ({ principal }) => assertMayCall(principal, declared.rights),
    serve: stream
      ? (core, request, reply) => serveSubscription(serving, core, request, reply)
      : (core, request, reply) => serveCall(serving, core, request, reply),
    ...differences,
  };
}

interface Serving extends Required<Pick<Variation, 'call' | 'statusOf' | 'headersOf'>> {
  procedure: ServedProcedure;
  rest: RestForm;
  query: Parameters;
  /** Those, and what is no field of the input. */
  known: Parameters;
  cloudEvents: CloudEventForm | undefined;
}

/**
 * Most calls answer before their connection could close, and hot ones do not pay for a signal that nothing reads. The getter is the
 * class's: one in an object literal would make a hidden class of each call, which only a full garbage collection frees.
 */
class MadeCall implements RestCall {
  readonly core: Core;
  readonly identity: Call['identity'];
  readonly limitStall: Call['limitStall'];
  readonly outgoing: Call['outgoing'];
  readonly request: FastifyRequest;
  readonly ignoredNames: Call['ignoredNames'];
  readonly fromUrl: Record<string, unknown>;
  readonly #reply: FastifyReply;

  constructor(
    { core, identity, limitStall, outgoing, ignoredNames, request, fromUrl }: Omit<RestCall, 'signal' | 'requestId'>,
    reply: FastifyReply,
  ) {
    this.core = core;
    this.identity = identity;
    this.limitStall = limitStall;
    this.outgoing = outgoing;
    this.ignoredNames = ignoredNames;
    this.request = request;
    this.fromUrl = fromUrl;
    this.#reply = reply;
  }

  get requestId(): string {
    return this.request.id;
  }

  get signal(): AbortSignal {
    return untilGone(this.#reply);
  }
}

async function serveCall(serving: Serving, core: Core, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { declared } = serving.procedure;
  const { identity } = callerOf(core, request);
  if (declared.hot === true) {
    // Its answer is small: it is counted for no longer than it is made.
    const usage = core.gate.allowances.beginCall(identity.principal);
    try {
      return await makeCall(serving, FREE, core, request, reply);
    } finally {
      core.gate.allowances.endCall(usage);
    }
  }
  const { raw: response } = reply;
  const outgoing = new RequestOutgoing({
    gate: core.gate,
    response,
    socket: request.raw.socket,
    calls: [declared],
    bodyBytes: statedLength(request),
  });
  const turn = await outgoing.begin(declared);
  await turn.admit(identity.principal);
  return makeCall(serving, outgoing, core, request, reply);
}

async function makeCall(
  { query, known, call, statusOf, headersOf, cloudEvents }: Serving,
  outgoing: Outgoing,
  core: Core,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<unknown> {
  const { identity, limitStall, ignoredNames } = callerOf(core, request);
  const converted = asCloudEvents(cloudEvents, request.query);
  const names = { known, ignored: ignoredNames };
  const fromUrl = { ...decodeParameters(query, request.query, names), ...(request.params as object) };
  const made = new MadeCall({ core, identity, limitStall, outgoing, ignoredNames, request, fromUrl }, reply);
  const result = (await call(made)) as never;
  if (ignoredNames !== null) reply.headers(ignoredNames.headers);
  return reply
    .code(statusOf(result))
    .headers({ 'cache-control': 'no-store', ...headersOf(result, fromUrl) })
    .send(converted?.answer === undefined ? result : converted.answer(result));
}

async function serveSubscription(
  { procedure, rest, query, known, cloudEvents }: Serving,
  core: Core,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const { identity, limitStall, ignoredNames } = callerOf(core, request);
  const encoder: FrameEncoder = asCloudEvents(cloudEvents, request.query)?.encoder ?? plainEncoder;
  const { 'last-event-id': lastEventId, 'content-type': contentType } = request.headers;
  const fromUrl = {
    ...decodeParameters(query, request.query, { known, ignored: ignoredNames }),
    ...(lastEventId === undefined || lastEventId === '' ? {} : { lastEventId }),
  };
  const input =
    rest.body === undefined ? fromUrl : mergeInput(readJson(textOf(takeBody(request), { contentType })), fromUrl);
  await serveStream(request, reply, {
    format: plainFrames,
    encoder,
    tally: core.metrics.streamTally(procedure.name, 'sse_rest'),
    batches: (signal) =>
      openStream(
        procedure,
        { core, identity, requestId: request.id, signal, limitStall, outgoing: FREE, ignoredNames },
        input,
      ),
    refusesByAnswer: true,
    ignoredNames,
    core,
  });
}

/** Who is calling. Throws when the token has ended while the body was on its way. */
function callerOf(core: Core, request: FastifyRequest): Pick<Call, 'identity' | 'limitStall' | 'ignoredNames'> {
  return {
    identity: identityOf(request),
    ignoredNames: ignoredNamesFor(request.headers),
    limitStall: (limitMs) => core.connections.limitStall(request.raw.socket, limitMs),
  };
}

function inputOf(rest: RestForm, { request, fromUrl }: RestCall, maxBodyBytes: number): unknown {
  if (rest.body === undefined) return fromUrl;
  const body = jsonBody(request, maxBodyBytes);
  return mergeInput(body === undefined && rest.bodyOptional === true ? {} : body, fromUrl);
}

const fieldsOfPath = ({ path }: RestForm): string[] => [...path.matchAll(/\{(\w+)\}/g)].map(([, field = '']) => field);

/** The field that transports set when they resume; over HTTP a header. */
const RESUMED_BY = 'lastEventId';

/** The fields of the input that are in the query. */
function queryOf(declared: Procedure, rest: RestForm): Parameters {
  const inPath = fieldsOfPath(rest);
  const fields =
    rest.body === undefined
      ? Object.keys(declared.input.shape).filter((field) => field !== RESUMED_BY && !inPath.includes(field))
      : ['namespace', ...(rest.query ?? [])];
  return Object.fromEntries(fields.map((field) => [field, parameterOf(shapeOf(declared, field))]));
}

function shapeOf({ input }: Procedure, field: string): z.ZodType {
  const schema = input.shape[field] as z.ZodType | undefined;
  if (schema === undefined) throw new Error(`a route names "${field}", which is no field of its input`);
  return schema;
}
