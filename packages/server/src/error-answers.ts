// How calls that no route has answered end: unknown addresses, broken requests, and whatever a handler throws.
import { invalidField, PROBLEM_MEDIA_TYPE, problemOf, SwarmError } from '@hypercode/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Socket } from 'node:net';
import type { Core } from './context.ts';
import { sendProblem } from './rest/problem.ts';
import { bodyTooLarge } from './rest/json-body.ts';
import { toErrorShape, toRefusal } from './refusals.ts';

/** RFC 9112, section 3.2: a host and a port, and no more. */
const HOST = /^[^\s/?#@\\]*$/;

/**
 * Refuses what no route can answer. tRPC's adapter makes a Fetch request of every call, and throws where that has no
 * such thing: the method TRACE, a host with a user's name in it.
 */
export function addRequestChecks(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.method === 'TRACE') done(nothingHere());
    else if (!HOST.test(request.headers.host ?? '')) done(invalidField('', 'the host header is not valid'));
    else done();
  });
}

/** On tRPC's routes its own shape, elsewhere problem+json. */
export function addErrorAnswers(app: FastifyInstance, { onRefusal }: Pick<Core, 'onRefusal'>): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply, refusal: SwarmError) => {
    onRefusal(refusal, { log: request.log });
    return answer(request, reply, refusal);
  };
  app.setErrorHandler(async (thrown, request, reply) => {
    const { config, bodyLimit } = request.routeOptions;
    return refuse(request, reply, refusalOfFastify(thrown, config.maxBodyBytes ?? bodyLimit));
  });
  app.setNotFoundHandler(async (request, reply) => refuse(request, reply, nothingHere()));
}

const nothingHere = () => new SwarmError('NOT_FOUND', 'no route matches this method and path');

/** A path that is no path, such as `/%ff`: Fastify asks before there is a route. */
export const answerBadUrl: NonNullable<FastifyServerOptions['frameworkErrors']> = (_error, request, reply) => {
  void answer(request, reply, invalidField('', 'the path is not valid'));
};

/** What is no HTTP, or has too many headers, or came too slowly: Node asks before there is a request. */
export function answerBrokenRequest(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_BREACH[error.code ?? ''] ?? '400 Bad Request';
  const problem = {
    ...problemOf(invalidField('', 'is not a well-formed HTTP request')),
    status: Number.parseInt(status, 10),
  };
  const body = JSON.stringify(problem);
  socket.end(
    [
      `HTTP/1.1 ${status}`,
      'connection: close',
      `content-type: ${PROBLEM_MEDIA_TYPE}`,
      `content-length: ${Buffer.byteLength(body)}`,
      '',
      body,
    ].join('\r\n'),
  );
}

const STATUS_OF_BREACH: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

async function answer(request: FastifyRequest, reply: FastifyReply, refusal: SwarmError): Promise<FastifyReply> {
  if (!/^\/trpc(?:[/?]|$)/.test(request.url)) return sendProblem(reply, refusal);
  return reply.code(refusal.httpStatus).send({ error: toErrorShape(refusal, undefined) });
}

/** Fastify's own refusals carry a status: a body that is too large, a media type without a parser. */
function refusalOfFastify(thrown: unknown, bodyLimit: number): SwarmError {
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (!(thrown instanceof Error) || typeof status !== 'number' || status < 400 || status >= 500)
    return toRefusal(thrown);
  if (status === 413) return bodyTooLarge(bodyLimit);
  return invalidField('', status === 415 ? 'the body must be application/json' : thrown.message);
}
