// The fixture of the suites of operations: one database, and connections to it as replicas have them.
import { systemClock } from '@hypercode/clock';
import { type Database, migrate } from '@hypercode/stores';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { AuditLog, type AuditLogOptions } from '../src/audit/audit-log.ts';
import { operationsSchema } from '../src/database-schema.ts';
import { createOperations, type Operations, type OperationsOptions } from '../src/operations.ts';
import type { Schema } from '../src/schema.ts';

/** The one database of a test file, whatever it is. */
export interface Store {
  /** Opens it for one more replica. */
  connect(): Promise<{ database: Database; close: () => Promise<void> }>;
  close(): Promise<void>;
}

export type OpenStore = () => Promise<Store>;

export const freshNamespace = (): string => `n-${randomUUID().slice(0, 18)}`;

const YEAR_MS = 365 * 86_400_000;

/** What the tests of a suite start, and ends it after each test. */
export class Replicas {
  #store: Store | undefined;
  #database: Database | undefined;
  readonly #started: (() => Promise<void>)[] = [];

  constructor(open: OpenStore) {
    beforeAll(async () => {
      this.#store = await open();
      const { database } = await this.#store.connect();
      this.#database = database;
      await migrate(database.kysely, [operationsSchema]);
    }, 60_000);
    afterEach(async () => {
      for (const close of this.#started.splice(0).toReversed()) await close();
    });
    afterAll(async () => {
      await this.#database?.close();
      await this.#store?.close();
    });
  }

  /** For what only a test does. */
  get db() {
    if (this.#database === undefined) throw new Error('the database opens before the first test');
    return this.#database.kysely.$extendTables<Schema>();
  }

  /** A connection of its own, as another replica has it. */
  async connect() {
    if (this.#store === undefined) throw new Error('the database opens before the first test');
    const { database, close } = await this.#store.connect();
    this.#started.push(close);
    return database;
  }

  async audit(options: Partial<AuditLogOptions> = {}): Promise<AuditLog> {
    const database = await this.connect();
    const audit = new AuditLog({
      db: database.kysely.$extendTables<Schema>(),
      clock: systemClock,
      maxAgeMs: YEAR_MS,
      onHead: () => undefined,
      onError: (error) => {
        throw error;
      },
      ...options,
    });
    this.#started.push(() => audit.close());
    return audit;
  }

  /** The operations of one more replica. It reports itself at once. */
  async operations(options: Partial<Omit<OperationsOptions, 'database'>> = {}): Promise<Operations> {
    const database = await this.connect();
    const operations = createOperations({
      database,
      clock: systemClock,
      replica: { id: randomUUID(), version: '1.2.3', host: 'here' },
      vitals: () => ({ streams: { watch: 0, subscribe: 0, consume: 0 }, suspended: [] }),
      streams: () => new Map(),
      parts: [],
      auditMaxAgeMs: YEAR_MS,
      onAuditHead: () => undefined,
      onError: (error) => {
        throw error;
      },
      ...options,
    });
    this.#started.push(() => operations.close());
    return operations;
  }
}
