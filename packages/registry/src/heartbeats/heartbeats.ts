// The command of an agent that proves that it lives: it renews the lease, and may report an activity.
import type { Clock } from '@hypercode/clock';
import type { Activity, Agent, CircuitState } from '@hypercode/contracts';
import { unavailable } from '@hypercode/stores';
import type { GroupCommit } from '../agents/group-commit.ts';
import type { AgentMirror } from '../tokens/agent-mirror.ts';
import type { AgentPrincipal } from '../tokens/principal.ts';
import type { SignsOfLife } from './signs-of-life.ts';

export interface HeartbeatsOptions {
  leaseMs: number;
  clock: Clock;
  signs: SignsOfLife;
  mirror: AgentMirror;
  commits: GroupCommit;
  onError: (error: unknown) => void;
}

export interface Renewal {
  readonly leaseExpiresAt: string;
  /** The agent's revision, and its circuit, as this replica has them. */
  readonly revision: number;
  readonly circuit: CircuitState;
}

/** Heartbeats change the shown status of an agent at most this often, in milliseconds. */
const STATUS_INTERVAL_MS = 1000;

export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  /** When an agent's activity or health was last written because of a heartbeat. */
  readonly #writtenAt = new Map<string, number>();

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /**
   * Renews the agent's lease in memory; the store gets it with the next batch. A change of activity is written at once, unless
   * one was written within the last second; then the next heartbeat writes it. UNAVAILABLE when the agent's token has ended
   * since it was recognised.
   */
  async renew(agent: AgentPrincipal, activity: Activity | undefined): Promise<Renewal> {
    const { clock, leaseMs, mirror, signs } = this.#options;
    signs.note(agent);
    const before = mirror.statusOf(agent.agentId);
    if (before === null) throw unavailable(`the token of agent "${agent.name}" has just ended`);
    const isNew = activity !== undefined && activity !== before.activity;
    // With a healthUrl, health is decided by the probes.
    const isHealthyAgain = before.health !== 'healthy' && !before.hasHealthUrl;
    if (isNew || isHealthyAgain) {
      // The reason of an open circuit still holds.
      const reason = before.circuit === 'closed' ? { reason: null } : {};
      const health = isHealthyAgain ? { health: 'healthy' as const, ...reason } : {};
      await this.#showStatus(agent, { ...(isNew ? { activity } : {}), ...health });
    }
    const { revision, circuit } = mirror.statusOf(agent.agentId) ?? before;
    return { leaseExpiresAt: new Date(clock.epochMs() + leaseMs).toISOString(), revision, circuit };
  }

  /** Writes what a heartbeat reports, unless the last change was written within the last second. */
  async #showStatus(agent: AgentPrincipal, set: Partial<Pick<Agent['status'], 'activity' | 'health' | 'reason'>>) {
    const { commits, onError } = this.#options;
    // A new activity does not wait because the agent has just become healthy.
    if (!this.#mayWrite(`${agent.agentId} ${set.activity === undefined ? 'health' : 'activity'}`)) return;
    const { namespace, name, agentId, incarnation } = agent;
    await commits
      .submit(namespace, { kind: 'status', name, agentId, incarnation, set, seen: true }, null)
      // The lease is renewed all the same; the next heartbeat tries again.
      .catch(onError);
  }

  #mayWrite(key: string): boolean {
    const now = this.#options.clock.monotonicMs();
    const writtenAt = this.#writtenAt.get(key);
    if (writtenAt !== undefined && now - writtenAt < STATUS_INTERVAL_MS) return false;
    for (const [oldest, at] of this.#writtenAt) {
      if (now - at < STATUS_INTERVAL_MS) break;
      this.#writtenAt.delete(oldest);
    }
    this.#writtenAt.delete(key);
    this.#writtenAt.set(key, now);
    return true;
  }
}
