// The socket of a connection to Redis, with a listener for every error that would end the process.
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, Redis, type RedisOptions } from 'ioredis';

/**
 * The connector of ioredis listens for the first error of a socket only. A TLS socket may have two: the certificate is refused,
 * and then comes the alert of the server.
 */
export class GuardedConnector extends AbstractConnector {
  readonly #options: RedisOptions;

  constructor(options: unknown) {
    const { disconnectTimeout = 0 } = options as RedisOptions;
    super(disconnectTimeout);
    this.#options = options as RedisOptions;
  }

  override async connect(): Promise<AbstractConnector['stream']> {
    this.connecting = true;
    // Disconnecting in the same turn ends it before there is a socket.
    await Promise.resolve();
    if (!this.connecting) throw new Error('Connection is closed.');
    const { path, host = 'localhost', port = 6379, family, tls } = this.#options;
    const target = path ? { path } : { host, port, ...(family === undefined ? {} : { family }) };
    const stream = tls ? connectTls({ ...target, ...tls }) : connectPlain(target);
    stream.on('error', (error) => {
      this.firstError ??= error;
    });
    this.stream = stream;
    return stream;
  }
}

/** For every connection of ioredis in this process, also those that a Cluster opens by itself. */
export function guardConnections(): void {
  (Redis as unknown as { defaultOptions: RedisOptions }).defaultOptions.Connector = GuardedConnector;
}
