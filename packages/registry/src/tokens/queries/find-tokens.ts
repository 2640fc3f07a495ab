// Looks up tokens by their hashes, with what decides whether they still count.
import type { TokenKind, TokenNames, TokenRoles } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import { REMEMBERED_INCARNATION } from '../../documents/agent-row.ts';
import type { Schema } from '../../schema.ts';

export interface TokenRow {
  hash: string;
  id: string;
  kind: TokenKind | 'agent';
  namespace: string;
  name: string;
  roles: TokenRoles | null;
  names: TokenNames | null;
  limited: boolean;
  agent_id: string | null;
  incarnation: string | null;
  expires_at: Date | null;
  fenced: boolean;
  /** The agent that has the name now; null for other tokens, and when there is none. */
  current_id: string | null;
  current_incarnation: string | null;
  current_role: string | null;
  current_revision: number | null;
  current_activity: string | null;
  current_note: string | null;
  current_circuit: string | null;
  current_open_until: string | null;
  current_reason: string | null;
  current_health: string | null;
  has_health_url: boolean | null;
  /** The lease that the agent asked for. */
  current_lease_ms: number | null;
  /** The namespace's revision that all this was true at. */
  head: number;
}

/** The columns of `TokenRow` that say who has the name now: of `agents a` and `namespaces n`. */
export const currentAgent = sql`
  a.id as current_id, a.incarnation as current_incarnation, a.revision as current_revision,
  a.doc ->> 'role' as current_role, a.doc #>> '{status,activity}' as current_activity,
  a.doc #>> '{status,note}' as current_note, a.lease_ms as current_lease_ms,
  a.doc #>> '{status,circuit}' as current_circuit, a.doc #>> '{status,circuitOpenUntil}' as current_open_until,
  a.doc #>> '{status,reason}' as current_reason,
  a.doc #>> '{status,health}' as current_health, jsonb_typeof(a.doc -> 'healthUrl') = 'string' as has_health_url,
  coalesce(n.revision, 0) as head`;

/** The tokens that exist, by hash in hexadecimal; the others are missing. */
export async function findTokens(db: Kysely<Schema>, hashes: string[]): Promise<Map<string, TokenRow>> {
  const { rows } = await sql<TokenRow>`
    select encode(t.hash, 'hex') as hash, t.id, t.kind, t.namespace, t.name, t.roles, t.names, t.max_uses is not null as limited,
      t.agent_id, t.incarnation, t.expires_at, t.fenced_at is not null as fenced,
      ${currentAgent}
    from unnest(${hashes}::text[]) as h(hex)
    join tokens t on t.hash = decode(h.hex, 'hex')
    left join agents a on t.kind = 'agent' and a.namespace = t.namespace and a.name = t.name
    left join namespaces n on n.namespace = t.namespace
    where t.fenced_at is null or not exists (
      select from removed_names r
      where r.namespace = t.namespace and r.name = t.name and r.removed_at <= now() - ${REMEMBERED_INCARNATION}::interval
    )`.execute(db);
  return new Map(rows.map((row) => [row.hash, row]));
}
