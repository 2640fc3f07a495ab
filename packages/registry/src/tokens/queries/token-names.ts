// The names under which operators and admins publish: whether one is free, and from when on those of ended tokens rest.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';

/** Operators' and admins' tokens are known on the bus by their names. */
export const SPEAKING_KINDS = sql`('operator', 'admin')`;

/** The key of an advisory lock; no other lock has this key. A transaction that claims a name holds the lock until it ends. */
const NAMES_LOCK = 7_263_401_952;

export interface ClaimedName {
  kind: 'operator' | 'admin';
  namespace: string;
  name: string;
  /** How long the name of a token that ended is not given to another, in milliseconds. */
  restMs: number;
}

/** Makes the transaction the only one that claims names. Not part of the check, whose snapshot has to be a later one. */
export async function lockNames(transaction: Kysely<Schema>): Promise<void> {
  await sql`select pg_advisory_xact_lock(${NAMES_LOCK}::bigint)`.execute(transaction);
}

/** Whether no token has the name, nor had it until lately. An admin's name is taken in every namespace. */
export async function isNameFree(transaction: Kysely<Schema>, { kind, namespace, name, restMs }: ClaimedName) {
  const rest = `${restMs} milliseconds`;
  await sql`delete from ended_token_names where ended_at < now() - ${rest}::interval`.execute(transaction);
  const { rows } = await sql`
    select from (
      select namespace, kind, name from tokens
      where kind in ${SPEAKING_KINDS} and (expires_at is null or expires_at > now() - ${rest}::interval)
      union all
      select namespace, kind, name from ended_token_names
    ) taken
    where name = ${name} and (namespace = ${namespace} or 'admin' in (kind, ${kind}))
    limit 1`.execute(transaction);
  return rows.length === 0;
}
