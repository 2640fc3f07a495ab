// Operators' tokens in the store: created, listed, used up, revoked.
import type { TokenInfo, TokenKind, TokenNames, TokenRoles } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { SPEAKING_KINDS } from './token-names.ts';

export interface NewToken {
  hash: Buffer;
  id: string;
  kind: TokenKind;
  namespace: string;
  name: string;
  roles: TokenRoles | null;
  names: TokenNames | null;
  expiresInMs: number | null;
  maxUses: number | null;
}

/** A stored token, without its secret. */
interface TokenInfoRow {
  id: string;
  kind: TokenKind;
  namespace: string;
  name: string;
  roles: TokenRoles | null;
  names: TokenNames | null;
  created_at: Date;
  expires_at: Date | null;
  max_uses: number | null;
  uses: number;
  last_used_at: Date | null;
}

const INFO = sql`id, kind, namespace, name, roles, names, created_at, expires_at, max_uses, uses, last_used_at`;

export async function insertToken(db: Kysely<Schema>, token: NewToken): Promise<TokenInfo> {
  const { hash, id, kind, namespace, name, roles, names, expiresInMs, maxUses } = token;
  const [rolesJson, namesJson] = [roles, names].map((list) => (list === null ? null : JSON.stringify(list)));
  const lifetime = expiresInMs === null ? null : `${expiresInMs} milliseconds`;
  const { rows } = await sql<TokenInfoRow>`
    insert into tokens (hash, id, kind, namespace, name, roles, names, created_at, expires_at, max_uses)
    values (${hash}, ${id}, ${kind}, ${namespace}, ${name}, ${rolesJson}::jsonb, ${namesJson}::jsonb, now(),
      now() + ${lifetime}::interval, ${maxUses})
    returning ${INFO}`.execute(db);
  const [row] = rows;
  if (row === undefined) throw new Error('the insert returned no row');
  return infoOf(row);
}

/** The tokens of operators in a namespace, oldest first, with those of admins, which belong to no namespace. */
export async function listTokens(db: Kysely<Schema>, namespace: string): Promise<TokenInfo[]> {
  const { rows } = await sql<TokenInfoRow>`
    select ${INFO} from tokens
    where kind = 'admin' or (kind <> 'agent' and namespace = ${namespace})
    order by created_at, id`.execute(db);
  return rows.map(infoOf);
}

/** An admin's token is stored with the namespace in which it was created, and reaches all. */
const infoOf = (row: TokenInfoRow): TokenInfo => ({
  id: row.id,
  kind: row.kind,
  namespace: row.kind === 'admin' ? null : row.namespace,
  name: row.name,
  roles: row.roles,
  names: row.names,
  createdAt: row.created_at.toISOString(),
  expiresAt: row.expires_at?.toISOString() ?? null,
  maxUses: row.max_uses,
  uses: row.uses,
  lastUsedAt: row.last_used_at?.toISOString() ?? null,
});

/**
 * The token that was deleted, of the namespace or of an admin; null when there is none. Moves the epoch by which replicas notice,
 * and notes when the name was last used.
 */
export async function deleteToken(db: Kysely<Schema>, namespace: string, id: string): Promise<TokenInfo | null> {
  const { rows } = await sql<TokenInfoRow>`
    with gone as (
      delete from tokens where id = ${id} and kind <> 'agent' and (kind = 'admin' or namespace = ${namespace})
      returning ${INFO}, least(now(), expires_at) as ended_at
    ), ended as (
      insert into ended_token_names (namespace, name, kind, ended_at)
      select namespace, name, kind, ended_at from gone where kind in ${SPEAKING_KINDS}
      on conflict (namespace, name) do update set kind = excluded.kind, ended_at = excluded.ended_at
    ), moved as (
      update token_epoch set epoch = epoch + 1 where exists (select from gone)
    )
    select ${INFO} from gone`.execute(db);
  const [row] = rows;
  return row === undefined ? null : infoOf(row);
}

export async function readTokenEpoch(db: Kysely<Schema>): Promise<number> {
  const { epoch } = await db.selectFrom('token_epoch').select('epoch').executeTakeFirstOrThrow();
  return epoch;
}

/** Takes one use of a limited token; false when none is left. */
export async function takeUse(db: Kysely<Schema>, id: string): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable('tokens')
    .set(({ eb }) => ({ uses: eb('uses', '+', 1) }))
    .where('id', '=', id)
    .where('kind', '=', 'join')
    .whereRef('uses', '<', 'max_uses')
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Gives back a use that led to no new agent. */
export async function returnUse(db: Kysely<Schema>, id: string): Promise<void> {
  await db
    .updateTable('tokens')
    .set(({ eb }) => ({ uses: eb('uses', '-', 1) }))
    .where('id', '=', id)
    .where('kind', '=', 'join')
    .where('uses', '>', 0)
    .execute();
}
