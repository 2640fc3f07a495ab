// Reads everything that a snapshot holds, at one revision.
import type { Agent, AgentFilter } from '@hypercode/contracts';
import { LIMITS } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import { toAgent } from '../../documents/agent-row.ts';
import { queryAgents } from '../../agents/queries/query-agents.ts';
import type { Schema } from '../../schema.ts';

/** The agents that match, in chunks as they are sent, and the revision that they are true at. */
export async function readSnapshot(
  db: Kysely<Schema>,
  namespace: string,
  filter: AgentFilter,
): Promise<{ revision: number; chunks: Agent[][] }> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (snapshot) => {
      const chunks: Agent[][] = [];
      for (let after: string | null = null; ;) {
        const page = { filter, text: undefined, after, limit: LIMITS.snapshotChunk };
        const { rows, revision } = await queryAgents(snapshot, namespace, page);
        if (rows.length > 0 || chunks.length === 0) chunks.push(rows.map(toAgent));
        if (rows.length < LIMITS.snapshotChunk) return { revision, chunks };
        after = rows.at(-1)?.name ?? null;
      }
    });
}
