// What the client has for Node.js alone.
export { type HealthServer, type HealthServerOptions, serveHealth } from './presence/serve-health.ts';
