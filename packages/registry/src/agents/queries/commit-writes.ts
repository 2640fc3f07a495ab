// Commits a group of decided writes to one namespace in one round trip. The function is in functions/commit-writes.ts.
import type { ChangeType } from '@hypercode/contracts';
import { type Kysely, sql } from 'kysely';
import type { AgentDocument } from '../../documents/agent-row.ts';
import type { LivenessMemory } from '../../documents/liveness-memory.ts';
import type { Schema } from '../../schema.ts';

export interface IssuedToken {
  id: string;
  /** SHA-256 of the token, in hexadecimal. */
  hash: string;
}

export interface Write {
  name: string;
  /** The agent's revision that the write was decided on; null: the name was free. */
  expected: number | null;
  /** Null: nothing changes, only tokens are added. */
  change: ChangeType | null;
  agent: AgentDocument;
  /** Whether the registration itself changes. */
  spec: boolean;
  /** Whether the write is a sign of life of the agent itself. */
  seen: boolean;
  /** Whether the name was tripped by an operator when the write was decided on. */
  tripped: boolean;
  /** What liveness begins with, for a process that begins under a trip; null: no change of it. */
  memory: LivenessMemory | null;
  facets: string[];
  words: string[];
  tokens: IssuedToken[];
  /** Id of the token that registers; it is kept unless another is known. Null: the write is no registration. */
  registeredBy: string | null;
  /** Whether the write counts only while no other token is known to have registered the agent. */
  ownOnly: boolean;
  /** Whether it is the first registration of the agent of which the token is noted. */
  claims: boolean;
}

export interface Committed {
  /** The write's place in the group. */
  ord: number;
  /** The revision that the change took; null for a write without a change. */
  revision: number | null;
  at: Date;
}

/** The writes that were applied; one that is missing met another revision of its agent, or another trip, and must be decided again. */
export async function commitWrites(db: Kysely<Schema>, namespace: string, writes: Write[]): Promise<Committed[]> {
  // A claim waits its turn, too: two tokens must not claim one agent.
  const changes = writes.some(({ change, claims }) => change !== null || claims);
  const payload = JSON.stringify(
    writes.map((write, ord) => ({
      ord,
      name: write.name,
      id: write.agent.id,
      expected: write.expected,
      incarnation: write.agent.incarnation,
      tokens: write.tokens,
      registered_by: write.registeredBy,
      own_only: write.ownOnly,
      ...(write.change === null
        ? {}
        : {
            change: write.change,
            doc: write.agent,
            spec: write.spec,
            seen: write.seen,
            tripped: write.tripped,
            memory: write.memory,
            facets: write.facets,
            words: write.words,
          }),
    })),
  );
  const { rows } = await sql<Committed>`
    select ord, revision, at from commit_writes(${namespace}, ${payload}::jsonb, ${changes})`.execute(db);
  return rows;
}
