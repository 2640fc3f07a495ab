// One entry of the change log.
import type { Agent, ChangeType } from '@hypercode/contracts';
import { justRegistered, orderedAgent } from '../documents/agent-row.ts';

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
  before: Agent | null;
  after: Agent;
  at: Date;
}

export function toChange(row: ChangeRow): Change {
  const at = row.at.toISOString();
  const after = row.change === 'registered' ? justRegistered(row.after, at) : row.after;
  return {
    position: row.revision,
    change: row.change,
    before: row.before === null ? null : orderedAgent(row.before),
    after: orderedAgent(after),
    at,
  };
}
