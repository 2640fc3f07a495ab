// What a REST route is: one description, from which both the HTTP route and its documentation are made.
import type { ErrorCode, RestForm, RestTag } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { Core } from '../context.ts';
import type { Parameters } from './parameters.ts';

export interface Answer {
  description: string;
  schema: z.ZodType;
  /** Default: JSON. */
  mediaType?: string;
}

export interface RouteDescription {
  method: RestForm['method'];
  /** With `{name}` for what varies. */
  path: string;
  operationId: string;
  tag: RestTag;
  summary: string;
  description?: string;
  /** What `{…}` in the path stands for. */
  pathParameters: Readonly<Record<string, z.ZodType>>;
  query: Parameters;
  /** Headers that mean something here, all optional; for the documentation. */
  headers?: Readonly<Record<string, { schema: z.ZodType; description: string }>>;
  /** Schemas of the body by media type; absent: the route takes none. */
  body?: Readonly<Record<string, z.ZodType>>;
  /** Whether the body may be left out. */
  bodyOptional?: boolean;
  answers: Readonly<Record<number, Answer>>;
  /** Errors beside those that every call can end with. */
  errors: readonly ErrorCode[];
}

export interface Route extends RouteDescription {
  /** Whether the answer goes on until one side ends it. */
  stream: boolean;
  /** Largest body, in bytes. */
  maxBodyBytes: number;
  /** Whether bodies of other media types than JSON's are for the route to judge. */
  anyMediaType: boolean;
  /** Throws for a caller that may not call, before its body is read. */
  admit: (caller: Identity) => void;
  serve: (core: Core, request: FastifyRequest, reply: FastifyReply) => Promise<unknown>;
}
