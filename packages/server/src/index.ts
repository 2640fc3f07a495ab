// The surfaces of HyperCode Swarm on one HTTP server: tRPC over HTTP, SSE and WebSocket, REST, health, metrics,
// and the dashboard. What another surface stands on is here, too: callers, bodies, answers and procedures, as REST uses them.
export type { Core } from './context.ts';
export { type HealthChecks, healthSurface } from './health.ts';
export { authenticateBy, identityOf } from './intake/authenticate.ts';
export { bytesOf, keepBodies, statedLength } from './intake/bodies.ts';
export { readJson, textOf } from './intake/json-text.ts';
export { metricsSurface, ServerMetrics } from './metrics.ts';
export type { Outgoing } from './outgoing/outgoing.ts';
export { RequestOutgoing } from './outgoing/request-outgoing.ts';
export type { Call } from './procedures/handler.ts';
export { callProcedure, declaredProcedure, openStream, servedProcedure } from './procedures/procedures.ts';
export { issuesOfUnknown } from './procedures/unknown-fields.ts';
export { RateLimit, type RateLimitOptions } from './rate-limit.ts';
export { pageSurface } from './page/page-surface.ts';
export { QuestionDesk } from './questions/question-desk.ts';
export { toRefusal } from './refusals.ts';
export { restSurface } from './rest/rest-surface.ts';
export { createSwarmServer, type SwarmServer, type SwarmServerOptions } from './server.ts';
export { isOwnHost } from './sessions/own-page.ts';
export { sessionSurface } from './sessions/session-surface.ts';
export type { Surface, SurfaceContext, Upgrade } from './surface.ts';
export { SystemEvents } from './system-events.ts';
export type { AppRouter } from './trpc/app-router.ts';
export { trpcSurface } from './trpc/trpc-surface.ts';
export { untilGone } from './until-gone.ts';
