// Serves the REST table and its OpenAPI document.
import { LIMITS } from '@hypercode/contracts';
import type { FastifyInstance } from 'fastify';
import type { Core } from '../context.ts';
import { agentRoutes } from './agent-routes.ts';
import { keepBodiesAsBytes } from './json-body.ts';
import { openApiDocument } from './openapi.ts';
import type { Route } from './route.ts';
import { tokenRoutes } from './token-routes.ts';

export const restRoutes: readonly Route[] = [...agentRoutes, ...tokenRoutes];

export function addRestRoutes(app: FastifyInstance, core: Core): void {
  app.register(async (scope) => {
    keepBodiesAsBytes(scope);
    for (const { method, path, stream = false, serve } of restRoutes) {
      scope.route({
        method,
        url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
        // A HEAD of a stream would never end.
        exposeHeadRoute: !stream,
        config: { stream, maxBodyBytes: LIMITS.registrationBytes },
        handler: (request, reply) => serve(core, request, reply),
      });
    }
    const document = JSON.stringify(openApiDocument(restRoutes));
    scope.get('/v1/openapi.json', async (_request, reply) => reply.type('application/json').send(document));
  });
}
