// What a REST route is: one description, from which both the HTTP route and its documentation are made.
import { type ErrorCode, invalidField, LIMITS, type SwarmError } from '@hypercode/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { type CallContext, type Core, createCallContext } from '../context.ts';
import { createCaller } from '../router/app-router.ts';
import { untilGone } from '../until-gone.ts';
import { bytesOf, jsonBody } from './json-body.ts';
import { decodeParameters, type Parameters } from './parameters.ts';

export type Caller = ReturnType<typeof createCaller>;

export interface Answer {
  description: string;
  schema: z.ZodType;
  /** Default: JSON. */
  mediaType?: string;
}

export interface RouteDescription {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{name}` for what varies. */
  path: string;
  operationId: string;
  tag: string;
  summary: string;
  description?: string;
  /** What `{…}` in the path stands for. */
  pathParameters?: Readonly<Record<string, z.ZodType>>;
  query: Parameters;
  /** Headers that mean something here, all optional; for the documentation. */
  headers?: Readonly<Record<string, { schema: z.ZodType; description: string }>>;
  /** Schemas of the body by media type; absent: the route takes none. */
  body?: Readonly<Record<string, z.ZodType>>;
  /** Whether the body may be left out. */
  bodyOptional?: boolean;
  answers: Readonly<Record<number, Answer>>;
  /** Refusals beside those that every call can end in. */
  refusals?: readonly ErrorCode[];
}

export interface Route extends RouteDescription {
  /** Whether the answer goes on until one side ends it. */
  stream?: boolean;
  /** Largest body, in bytes; default: that of a registration. */
  maxBodyBytes?: number;
  /** Whether bodies of other media types than JSON's are for the route to judge. */
  anyMediaType?: boolean;
  serve: (core: Core, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}

export interface ProcedureRoute<R> extends RouteDescription, Pick<Route, 'maxBodyBytes'> {
  /** The procedure checks the input, so it comes as it was given. */
  call: (caller: Caller, input: never) => Promise<R>;
  /** Default: the URL's parameters and the body's fields together. */
  input?: (body: unknown, fromUrl: Record<string, unknown>, request: FastifyRequest) => unknown;
  /** Default: the only status among the answers. */
  statusOf?: (result: R) => number;
  headersOf?: (result: R) => Record<string, string>;
}

/** A route that ends in a procedure: authorisation, limits and refusals are the procedure's. */
export function procedureRoute<R>(route: ProcedureRoute<R>): Route {
  const { call, input = mergeInput, statusOf, headersOf, ...description } = route;
  const { maxBodyBytes = LIMITS.registrationBytes } = description;
  const [status = 200] = Object.keys(description.answers).map(Number);
  return {
    ...description,
    serve: async (core, request, reply) => {
      const context = contextOf(core, request);
      await context.identify();
      const body = description.body === undefined ? {} : jsonBody(request, maxBodyBytes);
      const fromUrl = { ...decodeParameters(description.query, request.query), ...(request.params as object) };
      const caller = createCaller(context, { signal: untilGone(reply) });
      const result = await call(caller, input(body, fromUrl, request) as never);
      reply.code(statusOf?.(result) ?? status).header('cache-control', 'no-store');
      if (headersOf !== undefined) reply.headers(headersOf(result));
      return reply.send(result);
    },
  };
}

/** The URL's parameters and the body's fields as one input. INVALID_INPUT where the two contradict each other. */
export function mergeInput(body: unknown, fromUrl: Record<string, unknown>): unknown {
  if (!isJsonObject(body)) return body;
  for (const [name, value] of Object.entries(fromUrl)) {
    if (Object.hasOwn(body, name) && !isDeepStrictEqual(body[name], value)) {
      throw contradiction(name);
    }
  }
  return { ...body, ...fromUrl };
}

export const contradiction = (name: string): SwarmError =>
  invalidField(name, 'the URL and the body have different values');

export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function contextOf(core: Core, request: FastifyRequest): CallContext {
  return createCallContext({
    core,
    authorization: request.headers.authorization,
    connectionToken: undefined,
    bodyBytes: bytesOf(request)?.length ?? 0,
  });
}
