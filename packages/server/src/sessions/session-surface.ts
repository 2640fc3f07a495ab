// Signing in and out: `POST` and `DELETE /v1/session`. For browsers alone, so they are no procedures.
import { invalidInput, LIMITS, SESSION_HEADER, SESSION_PATH, SignIn } from '@hypercode/contracts';
import type { FastifyRequest } from 'fastify';
import type { IncomingMessage } from 'node:http';
import { readBody } from '../intake/bodies.ts';
import { readJson, textOf } from '../intake/json-text.ts';
import { JSON_MEDIA_TYPE } from '../rest/json-body.ts';
import type { Surface } from '../surface.ts';

/** A token with every character escaped, and its envelope. */
const MAX_BYTES = 6 * LIMITS.tokenLength + 64;
const NOT_STORED = { 'cache-control': 'no-store' };

export const sessionSurface: Surface = (app, { core: { browsers, connections } }) => {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(JSON_MEDIA_TYPE, (request: FastifyRequest, payload: IncomingMessage) =>
      readBody(request, payload, MAX_BYTES),
    );

    scope.post(
      SESSION_PATH,
      {
        onRequest: async ({ headers, ip }) => browsers.admit(headers, ip),
      },
      async (request, reply) => {
        const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const { success, data, error } = SignIn.safeParse(
          readJson(textOf(bytes, { contentType: request.headers['content-type'] })),
        );
        if (!success) throw invalidInput(error);
        const { body, setCookie } = await browsers.signIn(request.headers, data, request.ip);
        connections.markAuthenticated(request.raw.socket);
        return reply
          .code(201)
          .headers({ ...NOT_STORED, 'set-cookie': setCookie })
          .send(body);
      },
    );

    scope.delete(SESSION_PATH, async ({ headers }, reply) => {
      const cookie = await browsers.signOut(headers, headers[SESSION_HEADER] as string | undefined);
      if (cookie !== null) reply.header('set-cookie', cookie);
      return reply.code(204).headers(NOT_STORED).send();
    });
  });
};
