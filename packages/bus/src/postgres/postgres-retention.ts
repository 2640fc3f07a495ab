// What keeps the tables from growing: limits of logs, and what is past its time, all in small steps.
import type { Kysely } from 'kysely';
import type { LogSettings } from '../store/event-log.ts';
import type { BoundedDatabase } from './bounded-database.ts';
import { recordsWithin } from '../store/group-fates.ts';
import { findFullJournals } from './queries/find-full-journals.ts';
import { findOverfullLogs } from './queries/find-overfull-logs.ts';
import { forgetDuplicates } from './queries/forget-duplicates.ts';
import { forgetFlows } from './queries/forget-flows.ts';
import { forgetTopics } from './queries/forget-topics.ts';
import { retainEvents } from './queries/retain-events.ts';
import { sweepEvents } from './queries/sweep-events.ts';
import { trimJournal } from './queries/trim-journal.ts';
import type { BusSchema } from './schema.ts';

/**
 * An event goes in two steps: the horizon passes it (by an append, or here), and it is no longer read; later its row is
 * deleted, without the lock that appends need.
 */
export class PostgresRetention {
  readonly #db: BoundedDatabase;
  readonly #settings: LogSettings;
  /** Sweeps under way, by namespace. */
  readonly #sweeps = new Map<string, Promise<void>>();
  #closed = false;

  constructor(db: BoundedDatabase, settings: LogSettings) {
    this.#db = db;
    this.#settings = settings;
  }

  /** Deletes the removed events of a namespace in the background, unless that is under way. */
  sweepSoon(namespace: string): void {
    if (this.#closed || this.#sweeps.has(namespace)) return;
    // What fails here is done by the next sweep or round of retention.
    const sweep = this.#sweep(namespace).catch(() => undefined);
    this.#sweeps.set(namespace, sweep);
    void sweep.then(() => this.#sweeps.delete(namespace));
  }

  async applyRetention(): Promise<void> {
    const { retention, dedupWindowMs, journalMaxBytes } = this.#settings;
    for (const namespace of await this.#db.ask((db) => findOverfullLogs(db, retention))) {
      await this.#untilDone((db) => retainEvents(db, namespace, retention));
      await this.#sweep(namespace);
    }
    const maxRecords = recordsWithin(journalMaxBytes);
    for (const namespace of await this.#db.ask((db) => findFullJournals(db, maxRecords))) {
      await this.#untilDone((db) => trimJournal(db, { namespace, maxRecords }));
    }
    await this.#untilDone((db) => forgetDuplicates(db, dedupWindowMs));
    await this.#untilDone(forgetTopics);
    await this.#untilDone((db) => forgetFlows(db, retention));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#sweeps.values());
  }

  #sweep(namespace: string): Promise<void> {
    return this.#untilDone((db) => sweepEvents(db, namespace));
  }

  async #untilDone(step: (db: Kysely<BusSchema>) => Promise<boolean>): Promise<void> {
    while (!this.#closed && !(await this.#db.ask(step)));
  }
}
