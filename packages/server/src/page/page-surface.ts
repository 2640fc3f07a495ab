// Serves the dashboard: one page at each of its addresses, and the files that it loads.
import fastifyStatic from '@fastify/static';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Surface } from '../surface.ts';

export interface PageOptions {
  /** Where `apps/dashboard` was built to. It may be built while the core runs. */
  readonly folder: string;
}

/** API.md, section 13, and the page for signing in. The page itself decides what it shows at each. */
const PATHS = [
  '/',
  '/sign-in',
  '/needs-you',
  '/agents',
  '/agents/:name',
  '/map',
  '/events',
  '/events/:id',
  '/groups',
  '/groups/:group',
  '/plans',
  '/plans/:id',
  '/policy',
  '/tokens',
  '/audit',
  '/system',
];
const YEAR_MS = 365 * 86_400_000;

/**
 * Nothing of another origin loads, no script stands in the page, and no other page may frame it or hold a handle to it. Styles may stand in
 * attributes and elements, which components use to place what floats; they run nothing.
 */
const HEADERS = {
  'content-security-policy': [
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

const NOT_BUILT = `The dashboard was not built, so this core has no page to serve. The API works all the same.

In a clone of the repository, build it and load this page again:

    pnpm --filter @hypercode/dashboard build

SWARM_UI=false serves no dashboard.
`;

export const pageSurface =
  ({ folder }: PageOptions): Surface =>
  (app) => {
    app.register(async (scope) => {
      scope.addHook('onSend', async (_request, reply) => void reply.headers(HEADERS));
      await scope.register(fastifyStatic, { root: folder, serve: false, preCompressed: true });
      for (const path of PATHS) scope.get(path, (_request, reply) => sendPage(reply, folder));
      scope.get('/icon.svg', (_request, reply) => reply.sendFile('icon.svg', { maxAge: '1h' }));
      // Their names change with their content.
      scope.get('/assets/*', (request: FastifyRequest<{ Params: { '*': string } }>, reply) =>
        reply.sendFile(`assets/${request.params['*']}`, { maxAge: YEAR_MS, immutable: true }),
      );
    });
  };

async function sendPage(reply: FastifyReply, folder: string): Promise<FastifyReply> {
  const isBuilt = await stat(join(folder, 'index.html')).then(
    (found) => found.isFile(),
    () => false,
  );
  if (!isBuilt) return reply.code(503).type('text/plain; charset=utf-8').send(NOT_BUILT);
  return reply.header('cache-control', 'no-cache').sendFile('index.html', { cacheControl: false });
}
