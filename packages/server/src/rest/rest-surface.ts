// Serves the REST table and its OpenAPI document.
import type { FastifyInstance } from 'fastify';
import type { Core } from '../context.ts';
import type { Surface } from '../surface.ts';
import { authenticateBy } from '../intake/authenticate.ts';
import { keepBodies } from '../intake/bodies.ts';
import { JSON_MEDIA_TYPE, MERGE_PATCH_MEDIA_TYPE } from './json-body.ts';
import { openApiDocument } from './openapi.ts';
import { restRoutes } from './rest-routes.ts';
import type { Route } from './route.ts';

export const restSurface: Surface = (app, { core }) => {
  for (const anyMediaType of [false, true]) {
    app.register(async (scope) => {
      keepBodies(scope, core, { mediaTypes: anyMediaType ? '*' : [JSON_MEDIA_TYPE, MERGE_PATCH_MEDIA_TYPE] });
      for (const route of restRoutes) if (route.anyMediaType === anyMediaType) addRoute(scope, core, route);
    });
  }
  // Bytes, so that all answers share them, also those that nobody reads.
  const document = Buffer.from(JSON.stringify(openApiDocument(restRoutes)));
  app.get('/v1/openapi.json', async (_request, reply) => reply.type('application/json').send(document));
};

function addRoute(scope: FastifyInstance, core: Core, route: Route): void {
  const { method, path, stream, maxBodyBytes, admit, serve } = route;
  scope.route({
    method,
    url: path.replaceAll(/\{(\w+)\}/g, ':$1'),
    // A HEAD of a stream would never end.
    exposeHeadRoute: !stream,
    config: { stream, maxBodyBytes },
    onRequest: authenticateBy(core, admit),
    handler: (request, reply) => serve(core, request, reply),
  });
}
