// The Model Context Protocol on a core: `POST /mcp`, for coding agents that take part in a swarm.
export { mcpSurface } from './mcp-surface.ts';
