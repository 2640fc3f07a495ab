// The surfaces of HyperCode Swarm on one HTTP server: tRPC over HTTP, SSE and WebSocket, REST, health, metrics,
// and the dashboard.
export type { Core } from './context.ts';
export { type HealthChecks, healthSurface } from './health.ts';
export { metricsSurface, ServerMetrics } from './metrics.ts';
export { RateLimit, type RateLimitOptions } from './rate-limit.ts';
export { pageSurface } from './page/page-surface.ts';
export { QuestionDesk } from './questions/question-desk.ts';
export { restSurface } from './rest/rest-surface.ts';
export { createSwarmServer, type SwarmServer, type SwarmServerOptions } from './server.ts';
export { sessionSurface } from './sessions/session-surface.ts';
export type { Surface, SurfaceContext, Upgrade } from './surface.ts';
export { SystemEvents } from './system-events.ts';
export type { AppRouter } from './trpc/app-router.ts';
export { trpcSurface } from './trpc/trpc-surface.ts';
