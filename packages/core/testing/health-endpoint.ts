// What healthUrls of tests stand for: one server, with a path for each agent, that answers as the test wants.
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export class HealthEndpoint {
  /** What it answers. */
  status = 200;
  /** Answers wait while it is true, until `release`. */
  holding = false;
  /** When each path was asked, in `performance.now()` milliseconds. */
  readonly askedAt = new Map<string, number[]>();
  readonly #server: Server;
  #held: ServerResponse[] = [];

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', ({ url = '' }, response) => {
      this.askedAt.set(url, [...(this.askedAt.get(url) ?? []), performance.now()]);
      if (this.holding) this.#held.push(response);
      else response.writeHead(this.status).end();
    });
  }

  static async open(): Promise<HealthEndpoint> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new HealthEndpoint(server);
  }

  /** Probes that wait for their answer. */
  get held(): number {
    return this.#held.length;
  }

  urlOf(name: string): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/${name}`;
  }

  /** When an agent was probed. */
  probesOf(name: string): readonly number[] {
    return this.askedAt.get(`/${name}`) ?? [];
  }

  /** Answers what waits, and everything at once from now on. */
  release(): void {
    this.holding = false;
    for (const response of this.#held.splice(0)) response.writeHead(this.status).end();
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}
