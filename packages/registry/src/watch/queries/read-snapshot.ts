// Reads everything that a snapshot holds, at one revision.
import { type Agent, type AgentFilter, LIMITS } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import { toAgent } from '../../documents/agent-row.ts';
import { queryAgents } from '../../agents/queries/query-agents.ts';
import type { Schema } from '../../schema.ts';

/**
 * The agents that match, in chunks as they are sent, each as `encode` makes it of its agents, which are not kept; and the revision
 * that they are true at. At least one chunk, however many agents there are.
 */
export async function readSnapshot<Chunk>(
  db: Kysely<Schema>,
  { namespace, filter, coreLeaseMs }: { namespace: string; filter: AgentFilter; coreLeaseMs: number },
  encode: (revision: number, agents: Agent[]) => Chunk,
): Promise<{ revision: number; chunks: Chunk[] }> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (snapshot) => {
      const chunks: Chunk[] = [];
      for (let after: string | null = null; ;) {
        const page = {
          filter,
          text: undefined,
          after,
          limit: LIMITS.snapshotChunk,
          maxBytes: LIMITS.snapshotChunkBytes,
        };
        const { rows, hasMore, revision } = await queryAgents(snapshot, namespace, page);
        chunks.push(
          encode(
            revision,
            rows.map((row) => toAgent(row, coreLeaseMs)),
          ),
        );
        if (!hasMore) return { revision, chunks };
        after = rows.at(-1)?.name ?? null;
      }
    });
}
