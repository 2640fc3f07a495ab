// One request of a client: who sent it, and what its calls need. The library hands it from the request to the handlers.
import type { Procedure } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import { type Call, type Core, identityOf, RequestOutgoing, statedLength, untilGone } from '@hypercode/server';
import type { FastifyReply, FastifyRequest } from 'fastify';

export class McpCaller {
  readonly core: Core;
  readonly identity: Identity;
  readonly requestId: string;
  /** Aborts when the connection closes. */
  readonly gone: AbortSignal;
  readonly log: FastifyRequest['log'];
  /** Whether the request is of `/mcp?admin=true`. */
  readonly administers: boolean;
  readonly #request: FastifyRequest;
  readonly #reply: FastifyReply;

  /** Throws when the token has ended while the body was on its way. */
  constructor(core: Core, request: FastifyRequest, reply: FastifyReply) {
    this.core = core;
    this.identity = identityOf(request);
    this.requestId = request.id;
    this.gone = untilGone(reply);
    this.log = request.log;
    this.administers = (request.query as { admin?: unknown }).admin === 'true';
    this.#request = request;
    this.#reply = reply;
  }

  /** Takes the turn of a call whose answer is about that of `declared`, and makes it one of `speaker`. RATE_LIMITED. */
  async begin(declared: Procedure, speaker: Identity): Promise<Call> {
    const { core, requestId, gone } = this;
    const { socket } = this.#request.raw;
    const outgoing = new RequestOutgoing({
      gate: core.gate,
      response: this.#reply.raw,
      socket,
      calls: [declared],
      bodyBytes: statedLength(this.#request),
    });
    const turn = await outgoing.begin(declared);
    await turn.admit(speaker.principal);
    return {
      core,
      identity: speaker,
      requestId,
      signal: gone,
      limitStall: (limitMs) => core.connections.limitStall(socket, limitMs),
      outgoing,
      ignoredNames: null,
    };
  }
}
