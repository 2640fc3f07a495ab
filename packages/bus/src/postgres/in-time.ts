// The bound on every call: an answer within two seconds, or the refusal that says that there was none.
import { refusalOf, unavailable } from '@hypercode/stores';
import type { Kysely } from 'kysely';
import type { BusSchema } from './schema.ts';

/** Less than the two seconds, so that a busy process keeps them too. */
const PATIENCE_MS = 1_800;

/**
 * Runs `query` on a connection of its own. UNAVAILABLE when it has no answer in time: whether it is done is unknown then,
 * unless it was still waiting for a connection, in which case it is never sent.
 */
export async function inTime<T>(
  db: Kysely<BusSchema>,
  query: (connection: Kysely<BusSchema>) => Promise<T>,
): Promise<T> {
  let late = false;
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      late = true;
      reject(noAnswer());
    }, PATIENCE_MS);
  });
  const answer = db.connection().execute((connection) => {
    if (late) throw noAnswer();
    return query(connection);
  });
  try {
    return await Promise.race([answer, silence]);
  } catch (error) {
    throw refusalOf(error);
  } finally {
    clearTimeout(timer);
  }
}

const noAnswer = () => unavailable('the database did not answer in time; it is unknown whether the call took effect');
