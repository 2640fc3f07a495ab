// Operators' tokens in the store: created, listed, used up, revoked.
import type { TokenInfo, TokenKind, TokenRoles } from '@hypercode/contracts';
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
  expiresInMs: number | null;
  maxUses: number | null;
}

export async function insertToken(db: Kysely<Schema>, token: NewToken): Promise<void> {
  const { hash, id, kind, namespace, name, roles, expiresInMs, maxUses } = token;
  const rolesJson = roles === null ? null : JSON.stringify(roles);
  const lifetime = expiresInMs === null ? null : `${expiresInMs} milliseconds`;
  await sql`
    insert into tokens (hash, id, kind, namespace, name, roles, created_at, expires_at, max_uses)
    values (${hash}, ${id}, ${kind}, ${namespace}, ${name}, ${rolesJson}::jsonb, now(),
      now() + ${lifetime}::interval, ${maxUses})`.execute(db);
}

/** Operators' tokens of a namespace, oldest first. */
export async function listTokens(db: Kysely<Schema>, namespace: string): Promise<TokenInfo[]> {
  const rows = await db
    .selectFrom('tokens')
    .select(['id', 'kind', 'namespace', 'name', 'roles', 'created_at', 'expires_at', 'max_uses', 'uses'])
    .where('namespace', '=', namespace)
    .where('kind', '<>', 'agent')
    .orderBy('created_at')
    .orderBy('id')
    .execute();
  return rows.flatMap((row) =>
    row.kind === 'agent'
      ? []
      : [
          {
            id: row.id,
            kind: row.kind,
            namespace: row.namespace,
            name: row.name,
            roles: row.roles,
            createdAt: row.created_at.toISOString(),
            expiresAt: row.expires_at?.toISOString() ?? null,
            maxUses: row.max_uses,
            uses: row.uses,
          },
        ],
  );
}

/** Whether there was such a token. Moves the epoch by which replicas notice, and notes when the name was last used. */
export async function deleteToken(db: Kysely<Schema>, namespace: string, id: string): Promise<boolean> {
  const { rows } = await sql<{ deleted: boolean }>`
    with gone as (
      delete from tokens where namespace = ${namespace} and id = ${id} and kind <> 'agent'
      returning namespace, name, kind, least(now(), expires_at) as ended_at
    ), ended as (
      insert into ended_token_names (namespace, name, kind, ended_at)
      select namespace, name, kind, ended_at from gone where kind in ${SPEAKING_KINDS}
      on conflict (namespace, name) do update set kind = excluded.kind, ended_at = excluded.ended_at
    ), moved as (
      update token_epoch set epoch = epoch + 1 where exists (select from gone)
    )
    select exists (select from gone) as deleted`.execute(db);
  return rows[0]?.deleted ?? false;
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
