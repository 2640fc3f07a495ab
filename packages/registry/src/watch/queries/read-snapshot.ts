// Reads everything that a snapshot holds, at one revision.
import { type AgentSummary, LIMITS, summaryOf } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import { toAgent } from '../../documents/agent-row.ts';
import { queryAgents } from '../../agents/queries/query-agents.ts';
import type { Wanted } from '../project.ts';
import type { Schema } from '../../schema.ts';

/**
 * The agents that match, in chunks as they are sent, each as `encode` makes it of its agents, which are not kept; and the revision
 * that they are true at. At least one chunk, however many agents there are.
 */
export async function readSnapshot<Chunk>(
  db: Kysely<Schema>,
  { namespace, filter, view }: Wanted & { namespace: string },
  encode: (revision: number, agents: AgentSummary[]) => Chunk,
): Promise<{ revision: number; chunks: Chunk[] }> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (snapshot) => {
      const chunks: Chunk[] = [];
      let limit: number = LIMITS.snapshotChunk;
      for (let after: string | null = null; ;) {
        const page = {
          filter,
          view,
          text: undefined,
          after,
          limit,
          maxBytes: LIMITS.snapshotChunkBytes,
        };
        const { rows, hasMore, revision } = await queryAgents(snapshot, namespace, page);
        const agents = rows.map(toAgent);
        chunks.push(encode(revision, view === 'full' ? agents : agents.map(summaryOf)));
        if (!hasMore) return { revision, chunks };
        after = rows.at(-1)?.name ?? null;
        // The next agents are likely as large: the store need not look at many more than fit.
        limit = Math.min(LIMITS.snapshotChunk, 2 * rows.length);
      }
    });
}
