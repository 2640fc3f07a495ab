// How calls that no route has answered end: unknown addresses, broken requests, and whatever a handler throws.
import type { Clock } from '@hypercode/clock';
import { invalidField, SwarmError } from '@hypercode/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest, FastifyServerOptions } from 'fastify';
import type { Socket } from 'node:net';
import type { Core } from './context.ts';
import { answerUnread, isUnread } from './intake/answer-unread.ts';
import { endConnection } from './intake/end-connection.ts';
import { MAX_HEAD_BYTES, nothingHere } from './intake/request-checks.ts';
import { problemAnswer, rawProblem } from './rest/problem.ts';
import { toErrorShape, toRefusal } from './refusals.ts';

/**
 * On tRPC's routes its own shape, elsewhere problem+json. The connection of a caller without a valid token, and one on which a body
 * would have to be read for nothing, ends with the answer.
 */
export function addErrorAnswers(app: FastifyInstance, { onRefusal, clock }: Pick<Core, 'onRefusal' | 'clock'>): void {
  const refuse = (request: FastifyRequest, reply: FastifyReply, refusal: SwarmError): FastifyReply => {
    onRefusal(refusal, { log: request.log, address: request.ip });
    const answer = answerOf(request, refusal);
    if (refusal.code === 'UNAUTHENTICATED' || isUnread(request)) return answerUnread(clock, reply, answer);
    return send(reply, answer);
  };
  app.setErrorHandler(async (thrown, request, reply) => refuse(request, reply, refusalOfFastify(thrown)));
  app.setNotFoundHandler(async (request, reply) => refuse(request, reply, nothingHere()));
}

/** A path that is no path, such as `/%ff`: Fastify asks before there is a route. */
export const answerBadUrl: NonNullable<FastifyServerOptions['frameworkErrors']> = (_error, request, reply) => {
  send(reply, answerOf(request, invalidField('', 'the path is not valid')));
};

/** What is no HTTP, or has too many headers, or came too slowly: Node asks before there is a request. */
export function answerBrokenRequest(
  clock: Pick<Clock, 'schedule'>,
  error: Error & { code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_BREACH[error.code ?? ''] ?? 400;
  const last = rawProblem(status === 431 ? headTooLarge() : brokenRequest(), status);
  endConnection(clock, socket, { last, resets: status === 408 });
}

const STATUS_OF_BREACH: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
};

const brokenRequest = (): SwarmError => invalidField('', 'is not a well-formed HTTP request');

const headTooLarge = (): SwarmError =>
  new SwarmError(
    'PAYLOAD_TOO_LARGE',
    `the address and the headers of a request have at most ${MAX_HEAD_BYTES} bytes; send a longer query as the body of a POST`,
    { details: { limit: MAX_HEAD_BYTES } },
  );

interface Answer {
  status: number;
  headers: Record<string, string>;
  body: string;
}

/** A batch of tRPC gets one answer too: its clients take what is no list for the answer to each of their calls. */
function answerOf(request: FastifyRequest, refusal: SwarmError): Answer {
  if (!/^\/trpc(?:[/?]|$)/.test(request.url)) return problemAnswer(refusal);
  const body = JSON.stringify({ error: toErrorShape(refusal, undefined) });
  return { status: refusal.httpStatus, headers: { 'content-type': 'application/json' }, body };
}

/** As bytes: to text Fastify would add a charset, which the media type does not have. */
const send = (reply: FastifyReply, { status, headers, body }: Answer): FastifyReply =>
  reply.code(status).headers(headers).send(Buffer.from(body));

/** Fastify's own refusals carry a status: a media type without a parser. */
function refusalOfFastify(thrown: unknown): SwarmError {
  const status = thrown instanceof Error && 'statusCode' in thrown ? thrown.statusCode : undefined;
  if (!(thrown instanceof Error) || typeof status !== 'number' || status < 400 || status >= 500)
    return toRefusal(thrown);
  return invalidField('', status === 415 ? 'the body must be application/json' : thrown.message);
}
