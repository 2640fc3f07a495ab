// An agent that is judged, from its row to what a check has found.
import { memoryOf } from '../documents/liveness-memory.ts';
import type { Examined, Finding } from './assess.ts';
import type { Suspect } from './queries/read-suspects.ts';
import type { MemoryWrite } from './queries/write-memories.ts';

/** A suspect, and what the present check has found. */
export interface Checked {
  readonly suspect: Suspect;
  readonly agent: Examined;
  readonly finding: Finding;
}

export function examined(suspect: Suspect, coreLeaseMs: number): Examined {
  const { liveness, status, hasHealthUrl, registeredAt, last_seen_at, trip } = suspect;
  return {
    leaseMs: suspect.leaseMs ?? coreLeaseMs,
    trip,
    memory: memoryOf(liveness, suspect),
    status,
    hasHealthUrl,
    registeredAt: Date.parse(registeredAt),
    lastSeenAt: last_seen_at?.getTime() ?? null,
  };
}

export const writeOf = (suspect: Suspect, memory: MemoryWrite['after']): MemoryWrite => ({
  namespace: suspect.namespace,
  name: suspect.name,
  agentId: suspect.id,
  before: suspect.liveness,
  after: memory,
});
