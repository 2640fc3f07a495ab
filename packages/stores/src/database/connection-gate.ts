// A pool of connections as Kysely sees it: closable while it is in use, and with a listener for every error that would end the process.
import type { EventEmitter } from 'node:events';
import type { Pool, PoolClient } from 'pg';
import type { PostgresPool } from 'kysely';

/** A query came after `close()`. */
export class DatabaseClosedError extends Error {
  override readonly name = 'DatabaseClosedError';

  constructor() {
    super('the database is closed');
  }
}

/** Gets the failures of connections and of queries, among them those that are no fault of the server. */
export type FailureListener = (error: Error) => void;

/** The driver's own connection, which its types leave out. */
type ClientWithConnection = PoolClient & { readonly connection: EventEmitter };

/**
 * What `pg.Pool` leaves open:
 * - a connection that breaks while it is lent out and idle emits an `error` without a listener, which ends the process;
 * - `end()` forgets callers that wait for a connection, and resolves before the connections have ended.
 *
 * It has no `Client` on purpose: Kysely would open connections of its own with it, and PGlite has only one.
 */
export class ConnectionGate implements PostgresPool {
  readonly #pool: Pool;
  readonly #onFailure: (error: Error) => void;
  readonly #connections = new Set<Promise<void>>();
  /** Callers that wait for a connection or hold one. */
  #users = 0;
  #ended: Promise<void> | undefined;
  #lastUserLeft: (() => void) | undefined;

  constructor(pool: Pool, { onFailure = () => undefined }: { onFailure?: FailureListener | undefined } = {}) {
    this.#pool = pool;
    this.#onFailure = (error) => {
      if (this.#ended === undefined) onFailure(error);
    };
    // A broken idle connection is replaced when it is next needed; its user learns of it from its own query.
    pool.on('error', this.#onFailure);
    pool.on('connect', (client) => {
      client.on('error', this.#onFailure);
      // Every error that the server answers a query with, also where the caller handles it.
      (client as ClientWithConnection).connection.on('errorMessage', this.#onFailure);
      const ended = new Promise<void>((resolve) => client.once('end', resolve));
      this.#connections.add(ended);
      void ended.then(() => this.#connections.delete(ended));
    });
  }

  get options(): object {
    return this.#pool.options;
  }

  async connect(): Promise<PoolClient> {
    if (this.#ended !== undefined) throw new DatabaseClosedError();
    this.#users += 1;
    let client: PoolClient;
    try {
      client = await this.#pool.connect();
    } catch (error) {
      this.#leave();
      if (error instanceof Error) this.#onFailure(error);
      throw error;
    }
    const release = client.release.bind(client);
    client.release = (destroy) => {
      release(destroy);
      this.#leave();
    };
    return client;
  }

  end(): Promise<void> {
    this.#ended ??= this.#drain();
    return this.#ended;
  }

  async #drain(): Promise<void> {
    if (this.#users > 0) {
      await new Promise<void>((resolve) => {
        this.#lastUserLeft = resolve;
      });
    }
    await this.#pool.end();
    await Promise.all(this.#connections);
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users === 0) this.#lastUserLeft?.();
  }
}
