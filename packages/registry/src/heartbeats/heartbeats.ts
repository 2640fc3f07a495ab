// Signs of life that agents give: heartbeats, which may report an activity and a note, and all other calls.
import type { Clock } from '@hypercode/clock';
import { type Activity, type Agent, type CircuitState, SwarmError } from '@hypercode/contracts';
import { unavailable } from '@hypercode/stores';
import type { GroupCommit } from '../agents/group-commit.ts';
import type { AgentMirror, MirroredStatus } from '../tokens/agent-mirror.ts';
import type { AgentPrincipal } from '../tokens/principal.ts';
import type { Sign } from './sign-batch.ts';
import type { SignsOfLife } from './signs-of-life.ts';

export interface HeartbeatsOptions {
  /** The lease of agents that asked for none, in milliseconds. */
  leaseMs: number;
  clock: Clock;
  signs: SignsOfLife;
  mirror: AgentMirror;
  commits: GroupCommit;
  onError: (error: unknown) => void;
}

/** What a heartbeat reports; what is undefined stays as it is, and null clears the note. */
export interface Reported {
  readonly activity?: Activity | undefined;
  readonly note?: string | null | undefined;
}

export interface Renewal {
  readonly leaseExpiresAt: string;
  /** The agent's lease, in milliseconds. */
  readonly leaseMs: number;
  /** The agent's revision, and its circuit, as this replica has them. */
  readonly revision: number;
  readonly circuit: CircuitState;
}

/** Heartbeats change the shown health and activity of an agent at most this often, in milliseconds. */
const STATUS_INTERVAL_MS = 1000;
/** And its note alone at most this often. */
export const NOTE_INTERVAL_MS = 5000;

type Shown = Partial<Pick<Agent['status'], 'activity' | 'health' | 'note' | 'reason'>>;
type Reporter = Pick<AgentPrincipal, 'namespace' | 'name' | 'agentId' | 'incarnation'>;

/** A note that was reported too soon after the one before: it is written when its time has come. */
interface LateNote {
  note: string | null;
  readonly cancel: () => void;
}

/** Ended by `close`, which forgets notes that are late. */
export class Heartbeats {
  readonly #options: HeartbeatsOptions;
  /** When an agent's activity, health or note was last written because of a heartbeat. */
  readonly #writtenAt = new Map<string, number>();
  readonly #lateNotes = new Map<string, LateNote>();

  constructor(options: HeartbeatsOptions) {
    this.#options = options;
  }

  /** Notes that the agent calls, whatever becomes of the call. In memory: the store gets it with the next batch. */
  noteCall(agent: AgentPrincipal): void {
    const { leaseMs, mirror, signs } = this.#options;
    signs.note(agent, mirror.statusOf(agent.agentId)?.leaseMs ?? leaseMs);
  }

  /**
   * Renews the agent's lease in memory; the store gets it with the next batch. A change of activity is written at once, unless
   * one was written within the last second; then the next heartbeat writes it. A change of the note alone is written at once, or
   * 5 seconds after the one before. UNAVAILABLE when the agent's token has ended since it was recognised.
   */
  async renew(agent: AgentPrincipal, reported: Reported = {}): Promise<Renewal> {
    const { clock, mirror } = this.#options;
    this.noteCall(agent);
    const before = mirror.statusOf(agent.agentId);
    if (before === null) throw unavailable(`the token of agent "${agent.name}" has just ended`);
    const shown = newlyShown(before, reported);
    const note = reported.note === undefined ? this.#lateNotes.get(agent.agentId)?.note : reported.note;
    // A new activity does not wait because the agent has just become healthy.
    const key = shown?.activity === undefined ? 'health' : 'activity';
    if (shown !== null && this.#mayWrite(`${agent.agentId} ${key}`, STATUS_INTERVAL_MS)) {
      this.#forgetNote(agent.agentId);
      await this.#write(agent, note === undefined ? shown : { ...shown, note }, true);
    } else if (reported.note !== undefined) {
      await this.#showNote(agent, reported.note, before.note);
    }
    const { revision, circuit, leaseMs } = mirror.statusOf(agent.agentId) ?? before;
    return { leaseExpiresAt: new Date(clock.epochMs() + leaseMs).toISOString(), leaseMs, revision, circuit };
  }

  /** What other calls make known of an agent's health, when they are written: the first makes it healthy, as a heartbeat does. */
  async written(signs: readonly Sign[]): Promise<void> {
    const { mirror } = this.#options;
    await Promise.all(
      signs.map(async ({ incarnation, ...agent }) => {
        const before = mirror.statusOf(agent.agentId);
        const shown = before === null ? null : newlyShown(before, {});
        if (incarnation === undefined || shown === null) return;
        if (this.#mayWrite(`${agent.agentId} health`, STATUS_INTERVAL_MS))
          await this.#write({ ...agent, incarnation }, shown, true);
      }),
    );
  }

  close(): void {
    for (const { cancel } of this.#lateNotes.values()) cancel();
    this.#lateNotes.clear();
  }

  async #showNote(agent: Reporter, note: string | null, shown: string | null): Promise<void> {
    const { clock } = this.#options;
    const late = this.#lateNotes.get(agent.agentId);
    if (note === shown) return this.#forgetNote(agent.agentId);
    if (late !== undefined) {
      late.note = note;
      return;
    }
    const key = `${agent.agentId} note`;
    if (this.#mayWrite(key, NOTE_INTERVAL_MS)) return this.#write(agent, { note }, true);
    const waitMs = (this.#writtenAt.get(key) ?? 0) + NOTE_INTERVAL_MS - clock.monotonicMs();
    const cancel = clock.schedule(waitMs, () => {
      const due = this.#lateNotes.get(agent.agentId);
      this.#lateNotes.delete(agent.agentId);
      if (due !== undefined && this.#mayWrite(key, 0)) void this.#write(agent, { note: due.note }, false);
    });
    this.#lateNotes.set(agent.agentId, { note, cancel });
  }

  #forgetNote(agentId: string): void {
    this.#lateNotes.get(agentId)?.cancel();
    this.#lateNotes.delete(agentId);
  }

  async #write({ namespace, name, agentId, incarnation }: Reporter, set: Shown, seen: boolean): Promise<void> {
    const { commits, onError } = this.#options;
    await commits
      .submit(namespace, { kind: 'status', name, agentId, incarnation, set, seen }, null)
      // The lease is renewed all the same; the next heartbeat tries again. An agent that was removed meanwhile needs nothing.
      .catch((error: unknown) => {
        if (!(error instanceof SwarmError) || error.code !== 'NOT_FOUND') onError(error);
      });
  }

  #mayWrite(key: string, intervalMs: number): boolean {
    const now = this.#options.clock.monotonicMs();
    const writtenAt = this.#writtenAt.get(key);
    if (writtenAt !== undefined && now - writtenAt < intervalMs) return false;
    for (const [oldest, at] of this.#writtenAt) {
      if (now - at < NOTE_INTERVAL_MS) break;
      this.#writtenAt.delete(oldest);
    }
    this.#writtenAt.delete(key);
    this.#writtenAt.set(key, now);
    return true;
  }
}

/** What a sign of life changes of an agent's activity and health; null: nothing. */
function newlyShown(before: MirroredStatus, { activity }: Reported): Shown | null {
  const isNew = activity !== undefined && activity !== before.activity;
  // With a healthUrl, health is decided by the probes.
  const isHealthyAgain = before.health !== 'healthy' && !before.hasHealthUrl;
  if (!isNew && !isHealthyAgain) return null;
  // The reason of an open circuit still holds.
  const reason = before.circuit === 'closed' ? { reason: null } : {};
  const health = isHealthyAgain ? { health: 'healthy' as const, ...reason } : {};
  return { ...(isNew ? { activity } : {}), ...health };
}
