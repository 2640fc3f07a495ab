// The bound on every call: an answer within two seconds, or the refusal that reports that there was none.
import { type Clock, within } from '@hypercode/clock';
import { refusalOf, unavailable } from '@hypercode/stores';
import type { Kysely } from 'kysely';
import type { BusSchema } from './schema.ts';

/** Less than the two seconds, so that a busy process keeps them too. */
const LIMIT_MS = 1_800;

export class BoundedDatabase {
  readonly #db: Kysely<BusSchema>;
  readonly #clock: Clock;

  constructor(db: Kysely<BusSchema>, clock: Clock) {
    this.#db = db;
    this.#clock = clock;
  }

  /**
   * Runs `query` on a connection of its own. UNAVAILABLE when it has no answer in time: whether it is done is unknown then,
   * unless it was still waiting for a connection, in which case it is never sent.
   */
  async ask<T>(query: (connection: Kysely<BusSchema>) => Promise<T>): Promise<T> {
    let isLate = false;
    const work = this.#db.connection().execute((connection) => {
      if (isLate) throw noAnswer();
      return query(connection);
    });
    const timeout = () => {
      isLate = true;
      return noAnswer();
    };
    try {
      return await within(this.#clock, LIMIT_MS, { work, timeout });
    } catch (error) {
      throw refusalOf(error);
    }
  }
}

const noAnswer = () => unavailable('the database did not answer in time; it is unknown whether the call took effect');
