// How the bus' functions are planned.
import { sql } from 'kysely';

/**
 * A session plans a function's statements once, perhaps while the tables are empty, and keeps the plans. With these settings rows
 * are looked up by their keys, whatever the planner believes. For the same reason deliveries are looked up one by one by their
 * whole key and changed where they were found (`ctid`), which only the holder of the group's lock can move: joined, they were
 * read through an index of the group's state, all of it for each delivery.
 */
export const BY_KEYS = sql.raw('set enable_seqscan = off set enable_bitmapscan = off');
