// Reads everything that a snapshot holds, at one revision.
import { LIMITS } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import { findNames, queryAgents } from '../../agents/queries/query-agents.ts';
import { SnapshotItem, type Wanted } from '../project.ts';
import type { Schema } from '../../schema.ts';

/** So many bytes of a snapshot are read at once. */
const EAGER_BYTES = 16 * 1024 * 1024;

export interface ReadSnapshot {
  revision: number;
  chunks: SnapshotItem[];
  /** Names of the agents that are in none of the chunks. */
  rest: string[];
}

/**
 * The agents that match, in chunks as they are sent, and the revision that they are true at. At least one chunk, however many agents
 * there are; of those that come after about 16 MiB, the names alone.
 */
export async function readSnapshot(
  db: Kysely<Schema>,
  { namespace, filter, view, reset, coreLeaseMs }: Wanted & { namespace: string; reset: boolean; coreLeaseMs: number },
): Promise<ReadSnapshot> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .setAccessMode('read only')
    .execute(async (snapshot) => {
      const chunks: SnapshotItem[] = [];
      let limit: number = LIMITS.snapshotChunk;
      let bytes = 0;
      for (let after: string | null = null; ;) {
        const page = { filter, view, text: undefined, after, limit, maxBytes: LIMITS.snapshotChunkBytes };
        const { rows, hasMore, revision } = await queryAgents(snapshot, namespace, page);
        const chunk = new SnapshotItem(revision, rows, { view, reset, coreLeaseMs });
        chunks.push(chunk);
        bytes += chunk.size;
        after = rows.at(-1)?.name ?? null;
        if (!hasMore || after === null) return { revision, chunks, rest: [] };
        if (bytes >= EAGER_BYTES)
          return { revision, chunks, rest: await findNames(snapshot, namespace, { filter, after }) };
        // The next agents are likely as large: the store need not look at many more than fit.
        limit = Math.min(LIMITS.snapshotChunk, 2 * rows.length);
      }
    });
}
