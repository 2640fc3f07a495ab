// Answering with a refusal.
import { problemHeaders, problemOf, type SwarmError } from '@hypercode/contracts';
import type { FastifyReply } from 'fastify';

export function sendProblem(reply: FastifyReply, refusal: SwarmError): FastifyReply {
  // As bytes: to text Fastify would add a charset, which the media type does not have.
  const body = Buffer.from(JSON.stringify(problemOf(refusal)));
  return reply.code(refusal.httpStatus).headers(problemHeaders(refusal)).send(body);
}
