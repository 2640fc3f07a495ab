// What is refused of any request before a route looks at it.
import { invalidField, isCrossSite, SwarmError } from '@hypercode/contracts';
import type { FastifyInstance } from 'fastify';
import type { Socket } from 'node:net';
import { hasBody } from './bodies.ts';
import { assertPlainParameters } from './plain-names.ts';

/**
 * Most bytes of an address and its headers. Longest of what is documented is a stream of 64 topic patterns; what is longer is sent as
 * a body, which is read only of callers with a token.
 */
export const MAX_HEAD_BYTES = 32 * 1024;
/** RFC 9112, section 3.2: a host and a port, and no more. */
const HOST = /^[^\s/?#@\\]*$/;
/**
 * How many requests may wait on a connection for the answer to an earlier one (RFC 9112, section 9.3.2). Node.js makes all of them at
 * once, and their answers wait in memory for a client that may not read. Programs hardly pipeline, and browsers never.
 */
const MAX_PIPELINED = 4;
/** Methods whose bodies no route reads. */
const BODYLESS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

export const nothingHere = (): SwarmError => new SwarmError('NOT_FOUND', 'no route matches this method and path');

export const crossSite = (): SwarmError =>
  new SwarmError(
    'FORBIDDEN',
    'a web page of another origin may not change anything here; SWARM_CORS_ORIGINS names those that may',
  );

/**
 * Refuses what no route can answer, and what a page of another origin may not send. tRPC's adapter makes a Fetch request of every
 * call, and throws where that has no such thing: the method TRACE, a host with a user's name in it.
 */
export function addRequestChecks(app: FastifyInstance, { origins }: { origins: readonly string[] }): void {
  const pipelined = new WeakMap<Socket, number>();
  app.addHook('onRequest', (request, reply, done) => {
    const { method, headers, socket } = request;
    // Without a socket until the answers before it are sent.
    if (reply.raw.socket === null) {
      const waiting = (pipelined.get(socket) ?? 0) + 1;
      pipelined.set(socket, waiting);
      if (waiting > MAX_PIPELINED) {
        reply.hijack();
        return void socket.destroy();
      }
    } else pipelined.delete(socket);
    if (method === 'TRACE') return done(nothingHere());
    if (!HOST.test(headers.host ?? '')) return done(invalidField('', 'the host header is not valid'));
    if (isCrossSite({ method, headers }, origins)) return done(crossSite());
    try {
      assertPlainParameters(request.query);
    } catch (refusal) {
      return done(SwarmError.from(refusal));
    }
    done();
  });
  // Node.js would read such a body to its end, and Fastify that of a request that no route takes.
  app.addHook('preParsing', (request, reply, _payload, done) => {
    if (hasBody(request)) {
      if (request.is404) return done(nothingHere());
      if (BODYLESS.has(request.method)) reply.header('connection', 'close');
    }
    done();
  });
}
