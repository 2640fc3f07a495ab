// `POST /mcp`: Streamable HTTP without sessions. Callers are known by their token before their body is read, as on every other surface.
import { invalidField, LIMITS, SwarmError } from '@hypercode/contracts';
import {
  authenticateBy,
  bytesOf,
  type Core,
  isOwnHost,
  keepBodies,
  readJson,
  type Surface,
  textOf,
} from '@hypercode/server';
import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { McpCaller } from './exchange/caller.ts';
import type { McpExchange, Message } from './exchange/exchange.ts';

const MCP_PATH = '/mcp';

export interface McpOptions {
  /** Where users reach the core; null: at loopback names and by addresses alone. */
  readonly publicUrl: string | null;
}

/** The largest input of a tool, a registration, and its envelope. */
const MAX_BYTES = LIMITS.registrationBytes + 16 * 1024;
/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const METHOD_NOT_FOUND = -32_601;

export const mcpSurface =
  ({ publicUrl }: McpOptions): Surface =>
  (app, { core }) => {
    const own = publicUrl === null ? null : new URL(publicUrl);
    let exchange: Promise<McpExchange> | undefined;
    const exchangeOf = (request: FastifyRequest): Promise<McpExchange> =>
      (exchange ??= import('./exchange/exchange.ts').then(
        (loaded) =>
          new loaded.McpExchange({
            version: core.version,
            onError: (error) => request.server.log.debug({ err: error }, 'a request of MCP was refused'),
          }),
      ));
    app.addHook('onClose', async () => (await exchange)?.close());
    app.register(async (scope) => {
      keepBodies(scope, core, { mediaTypes: 'application/json' });
      scope.post(
        MCP_PATH,
        { config: { maxBodyBytes: MAX_BYTES }, onRequest: [assertHost(own), authenticateBy(core)] },
        async (request, reply) => serve(core, exchangeOf, request, reply),
      );
      scope.route({
        method: ['GET', 'DELETE'],
        url: MCP_PATH,
        exposeHeadRoute: false,
        onRequest: assertHost(own),
        // There are no sessions, and nothing comes by itself.
        handler: (_request, reply) =>
          refuse(reply.header('allow', 'POST'), 405, INVALID_REQUEST, 'only POST is served here'),
      });
    });
  };

/**
 * FORBIDDEN for a host that is not this core: a web page whose name an attacker points at this machine (DNS rebinding). That a page of
 * another origin may not send anything is checked for every surface.
 */
const assertHost =
  (own: URL | null): onRequestHookHandler =>
  (request, _reply, done) =>
    isOwnHost(request.headers.host, own) ? done() : done(strangeHost());

const strangeHost = (): SwarmError =>
  new SwarmError(
    'FORBIDDEN',
    'MCP is served at the address in SWARM_PUBLIC_URL, at localhost, and at numeric addresses; this request names another host',
  );

async function serve(
  core: Core,
  exchangeOf: (request: FastifyRequest) => Promise<McpExchange>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  let message: unknown;
  try {
    message = readJson(textOf(bytesOf(request) ?? Buffer.alloc(0), { contentType: request.headers['content-type'] }));
  } catch (error) {
    core.onRefusal(SwarmError.from(error), { log: request.log });
    return refuse(reply, 400, PARSE_ERROR, 'the body must be one JSON-RPC message');
  }
  const isMessage = typeof message === 'object' && message !== null && !Array.isArray(message);
  if (!isMessage) {
    core.onRefusal(invalidField('', 'must be one JSON-RPC message'), { log: request.log });
    return refuse(reply, 400, INVALID_REQUEST, 'the body must be one JSON-RPC message; batches are not served');
  }
  const exchange = await exchangeOf(request);
  const caller = new McpCaller(core, request, reply);
  if ((message as Message).method === 'subscriptions/listen')
    return refuse(reply, 404, METHOD_NOT_FOUND, 'Method not found: lists have a time to live', (message as Message).id);
  const { status, headers, body } = await exchange.serve(caller, message as Message, request.headers);
  return reply
    .code(status)
    .headers({ 'cache-control': 'no-store', ...headers })
    .send(body);
}

const refuse = (reply: FastifyReply, status: number, code: number, text: string, id: unknown = null): FastifyReply =>
  reply
    .code(status)
    .header('content-type', 'application/json')
    .send(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message: text } })));
