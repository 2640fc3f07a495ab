// Appends events to a log in one round trip. The function is in functions/append.ts.
import { type Kysely, sql } from 'kysely';
import type { LogSettings, NewEvent } from '../../store/event-log.ts';
import { idNumber } from '../../store/id-key.ts';
import type { BusSchema } from '../schema.ts';
import { joined } from '../joined-texts.ts';

export interface AppendedEvents {
  epoch: string;
  /** Of each event, or of the one that it repeats. */
  seqs: number[];
  nonces: number[];
  /** The places of duplicates among the events, from 1. */
  repeats: number[] | null;
  /** Rows before the horizon that are still to be deleted. */
  unswept: number;
  /** Of the head before. */
  nonce_before: number;
  /** When they were appended. */
  at_ms: number;
}

export async function appendEvents(
  db: Kysely<BusSchema>,
  namespace: string,
  { events, settings }: { events: readonly NewEvent[]; settings: LogSettings },
): Promise<AppendedEvents | undefined> {
  const { retention, dedupWindowMs, eventIndex = true } = settings;
  const keys = eventIndex ? events.map(({ id }) => idNumber(namespace, id)) : null;
  const { rows } = await sql<AppendedEvents>`
    select * from bus_append_events(
      ${namespace}, ${events.map(({ id }) => id)}::uuid[], ${events.map(({ source }) => source)}::text[],
      ${events.map(({ topic }) => topic)}::text[], ${joined(events)}, ${keys}::bigint[],
      ${dedupWindowMs}, ${retention.maxEvents}, ${retention.maxBytes}, ${retention.maxAgeMs})`.execute(db);
  return rows[0];
}
