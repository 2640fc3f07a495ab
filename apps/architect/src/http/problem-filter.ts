// Refusals as problem details (RFC 9457), as the core gives them.
import { PROBLEM_MEDIA_TYPE, problemHeaders, problemOf, SwarmError } from '@hypercode/contracts';
import {
  type ArgumentsHost,
  Catch,
  type ExceptionFilter,
  HttpException,
  ServiceUnavailableException,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { Logger } from '../logger.ts';

@Catch()
export class ProblemFilter implements ExceptionFilter {
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  catch(thrown: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The result of the health checks, in the format of Terminus.
    if (thrown instanceof ServiceUnavailableException) {
      void reply.status(thrown.getStatus()).send(thrown.getResponse());
      return;
    }
    const refusal = refusalOf(thrown);
    if (refusal.code === 'INTERNAL') this.#logger.error({ err: thrown }, 'a request failed');
    sendProblem(reply, refusal);
  }
}

/** Answers what Fastify refuses before a handler is found, such as an address that cannot be decoded. */
export const answerFrameworkError = (thrown: unknown, _: unknown, reply: FastifyReply): void =>
  sendProblem(reply, refusalOf(thrown));

function sendProblem(reply: FastifyReply, refusal: SwarmError): void {
  // As bytes: to text Fastify would add a charset, which the media type does not have.
  const body = Buffer.from(JSON.stringify(problemOf(refusal)));
  void reply.status(refusal.httpStatus).headers(problemHeaders(refusal)).type(PROBLEM_MEDIA_TYPE).send(body);
}

/** An error of a handler or of the framework, as a refusal that shows nothing internal. */
function refusalOf(thrown: unknown): SwarmError {
  if (thrown instanceof SwarmError) return thrown;
  const status = thrown instanceof HttpException ? thrown.getStatus() : statusOf(thrown);
  if (status === 413) return new SwarmError('PAYLOAD_TOO_LARGE', 'the body is too large', { cause: thrown });
  if (status === 403 && thrown instanceof Error) return new SwarmError('FORBIDDEN', thrown.message);
  if (status === 404) return new SwarmError('NOT_FOUND', 'no route matches this method and path');
  if (status >= 400 && status < 500) {
    const message = thrown instanceof Error ? thrown.message : 'the request is not valid';
    return new SwarmError('INVALID_INPUT', message, { details: [{ path: '', reason: message }] });
  }
  return SwarmError.from(thrown);
}

const statusOf = (thrown: unknown): number =>
  typeof thrown === 'object' && thrown !== null && 'statusCode' in thrown ? Number(thrown.statusCode) : 500;
