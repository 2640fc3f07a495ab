// The surface of HyperCode Swarm: tRPC over HTTP, SSE and WebSocket, REST, health, metrics.
export { RateLimit, type RateLimitOptions } from './rate-limit.ts';
export type { AppRouter } from './router/app-router.ts';
export { ServerMetrics } from './metrics.ts';
export { createSwarmServer, type SwarmServer, type SwarmServerOptions } from './server.ts';
export { SystemEvents } from './system-events.ts';
