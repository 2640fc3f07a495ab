// The health endpoint of an agent, such as the core probes at its `healthUrl`. For Node.js alone.
import { createServer, type ServerResponse } from 'node:http';
import type { AgentHealth, ConnectedAgent } from './connected-agent.ts';

export interface HealthServerOptions {
  /** 0 for any that is free. */
  readonly port: number;
  /** The address to listen at. Default `127.0.0.1`, which only this machine reaches. */
  readonly host?: string | undefined;
}

export interface HealthServer {
  /** Where it listens. */
  readonly port: number;
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** No probe takes longer, in milliseconds. */
const REQUEST_LIMIT_MS = 5_000;
/** Longer than the time between two probes, so that their connection is kept. In milliseconds. */
const KEEP_ALIVE_MS = 65_000;

/**
 * Answers `GET /health` with `agent.health()` as JSON: with 200 while the agent is registered, also while it stops or its
 * circuit is open, and otherwise with 503, as when the policy denies what a handler asks for. Closes when the agent has
 * stopped. Rejects when it can not listen there.
 */
export async function serveHealth(
  agent: Pick<ConnectedAgent, 'health' | 'on'>,
  { port, host = '127.0.0.1' }: HealthServerOptions,
): Promise<HealthServer> {
  const limits = {
    requestTimeout: REQUEST_LIMIT_MS,
    headersTimeout: REQUEST_LIMIT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
  };
  const server = createServer(limits, ({ method, url = '' }, response) => {
    const [path] = url.split('?', 1);
    if (path !== '/health') return refuse(response, 404);
    if (method !== 'GET' && method !== 'HEAD') return refuse(response.setHeader('allow', 'GET, HEAD'), 405);
    const health = agent.health();
    response
      .writeHead(isWell(health) ? 200 : 503, { 'content-type': 'application/json', 'cache-control': 'no-store' })
      .end(JSON.stringify(health));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const address = server.address();
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    release();
    closing ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closing;
  };
  const release = agent.on('stopped', () => void close());
  // It may have stopped while this came to listen, or before.
  if (agent.health().status === 'stopped') await close();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close,
    [Symbol.asyncDispose]: close,
  };
}

const isWell = ({ status }: AgentHealth): boolean => status === 'ok' || status === 'draining';

const refuse = (response: ServerResponse, status: number): void => void response.writeHead(status).end();
