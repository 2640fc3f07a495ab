// Looks up agents by their names, each with the token that made it: what a caller needs who speaks for an agent with that token.
import { type Kysely, sql } from 'kysely';
import type { Schema } from '../../schema.ts';
import { currentAgent, type TokenRow } from './find-tokens.ts';

/** As a token of the agent would be found, without the token. */
export type MadeAgentRow = Omit<TokenRow, 'hash' | 'id'> & {
  /** Id of the token that registered it; null when that is unknown. */
  registered_by: string | null;
};

/** By `namespace/name`, neither of which has a `/`; agents that do not exist are missing. */
export async function findMadeAgents(db: Kysely<Schema>, keys: string[]): Promise<Map<string, MadeAgentRow>> {
  const { rows } = await sql<MadeAgentRow & { key: string }>`
    select k.key, a.registered_by, 'agent' as kind, a.namespace, a.name, null as roles, null as names, false as limited,
      a.id as agent_id, a.incarnation, null as expires_at, false as fenced,
      ${currentAgent}
    from unnest(${keys}::text[]) as k(key)
    join agents a on a.namespace = split_part(k.key, '/', 1) and a.name = split_part(k.key, '/', 2)
    left join namespaces n on n.namespace = a.namespace`.execute(db);
  return new Map(rows.map(({ key, ...row }) => [key, row]));
}
