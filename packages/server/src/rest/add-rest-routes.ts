// Serves the REST table and its OpenAPI document.
import { LIMITS } from '@hypercode/contracts';
import type { FastifyInstance } from 'fastify';
import type { Core } from '../context.ts';
import { agentRoutes } from './agent-routes.ts';
import { eventRoutes } from './event-routes.ts';
import { groupRoutes } from './group-routes.ts';
import { keepBodiesAsBytes } from './json-body.ts';
import { openApiDocument } from './openapi.ts';
import { policyRoutes } from './policy-routes.ts';
import type { Route } from './route.ts';
import { tokenRoutes } from './token-routes.ts';

export const restRoutes: readonly Route[] = [
  ...agentRoutes,
  ...eventRoutes,
  ...groupRoutes,
  ...policyRoutes,
  ...tokenRoutes,
];

export function addRestRoutes(app: FastifyInstance, core: Core): void {
  for (const anyMediaType of [false, true]) {
    app.register(async (scope) => {
      keepBodiesAsBytes(scope, { anyMediaType });
      for (const route of restRoutes) if ((route.anyMediaType ?? false) === anyMediaType) addRoute(scope, core, route);
    });
  }
  const document = JSON.stringify(openApiDocument(restRoutes));
  app.get('/v1/openapi.json', async (_request, reply) => reply.type('application/json').send(document));
}

function addRoute(scope: FastifyInstance, core: Core, route: Route): void {
  const { method, path, stream = false, maxBodyBytes = LIMITS.registrationBytes, serve } = route;
  scope.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    // A HEAD of a stream would never end.
    exposeHeadRoute: !stream,
    config: { stream, maxBodyBytes },
    handler: (request, reply) => serve(core, request, reply),
  });
}
