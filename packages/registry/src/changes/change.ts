// One entry of the change log.
import type { Agent, ChangeType } from '@hypercode/contracts';
import { justRegistered, orderedDocument, publishedAgent, type StoredDocument } from '../documents/agent-row.ts';

export interface Change {
  /** Its position in the namespace's log. */
  position: number;
  change: ChangeType;
  /** The agent before the change; null when it was created by it. */
  before: Agent | null;
  /** The agent after the change; its last state when it was removed by it. */
  after: Agent;
  at: string;
}

export const isRemoval = (change: ChangeType): boolean => change === 'deregistered' || change === 'expired';

export interface ChangeRow {
  revision: number;
  change: ChangeType;
  before: StoredDocument | null;
  after: StoredDocument;
  at: Date;
}

/** `coreLeaseMs`: the lease of agents that asked for none. */
export function toChange(row: ChangeRow, coreLeaseMs: number): Change {
  const at = row.at.toISOString();
  const published = (doc: StoredDocument): Agent => publishedAgent(orderedDocument(doc), coreLeaseMs);
  const after = row.change === 'registered' ? justRegistered(row.after, at) : row.after;
  return {
    position: row.revision,
    change: row.change,
    before: row.before === null ? null : published(row.before),
    after: published(after),
    at,
  };
}
