// The status of the agents that call this replica, in memory, as the change log has it.
import type { Activity, Agent, CircuitState, Health } from '@hypercode/contracts';
import type { Change } from '../changes/change.ts';

export interface MirroredStatus {
  /** The agent's revision that this is the status of. */
  readonly revision: number;
  readonly activity: Activity;
  /** The agent's own words; null: none. */
  readonly note: string | null;
  readonly circuit: CircuitState;
  /** When an open circuit becomes half open, in milliseconds since the epoch; null when that is unknown. */
  readonly circuitOpenUntilMs: number | null;
  /** Why the circuit is open. */
  readonly circuitReason: string | null;
  readonly health: Health;
  /** Whether the agent's health is judged by probes, and not by its heartbeats. */
  readonly hasHealthUrl: boolean;
  /** The agent's lease, in milliseconds. */
  readonly leaseMs: number;
}

interface Entry {
  status: MirroredStatus;
  /** Tokens in memory that stand for the agent. */
  holders: number;
}

/**
 * Holds an agent from the first `retain` to the last `release`, which is while one of its tokens is known. `apply` keeps it up
 * to date: with what this replica has committed, and with the change log as it is followed. A status never goes back to an
 * earlier revision.
 */
export class AgentMirror {
  readonly #agents = new Map<string, Entry>();

  /** Null for an agent of which no token is known here (any more). */
  statusOf(agentId: string): MirroredStatus | null {
    return this.#agents.get(agentId)?.status ?? null;
  }

  retain(agentId: string, status: MirroredStatus): void {
    const entry = this.#agents.get(agentId);
    if (entry === undefined) {
      this.#agents.set(agentId, { status, holders: 1 });
      return;
    }
    entry.holders += 1;
    if (status.revision > entry.status.revision) entry.status = status;
  }

  release(agentId: string): void {
    const entry = this.#agents.get(agentId);
    if (entry === undefined) return;
    entry.holders -= 1;
    if (entry.holders === 0) this.#agents.delete(agentId);
  }

  apply({ position, after }: Change): void {
    const entry = this.#agents.get(after.id);
    if (entry !== undefined && position > entry.status.revision) entry.status = mirrored(after, position);
  }
}

function mirrored({ status, healthUrl, leaseMs }: Agent, revision: number): MirroredStatus {
  return {
    revision,
    activity: status.activity,
    note: status.note,
    circuit: status.circuit,
    circuitOpenUntilMs: status.circuitOpenUntil === null ? null : Date.parse(status.circuitOpenUntil),
    circuitReason: status.reason,
    health: status.health,
    hasHealthUrl: healthUrl !== null,
    leaseMs,
  };
}
