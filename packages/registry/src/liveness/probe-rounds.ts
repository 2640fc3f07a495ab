// Probes the agents that are due, as many as this replica has room for: replicas share the work through the store.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import { type Clock, repeat } from '@hypercode/clock';
import { type LivenessSettings, probedAgent } from './assess.ts';
import { memoryOf } from '../documents/liveness-memory.ts';
import { claimProbes, type DueProbe } from './queries/claim-probes.ts';
import { readOverdueProbes } from './queries/read-overdue-probes.ts';
import { type MemoryWrite, writeMemories } from './queries/write-memories.ts';
import type { Schema } from '../schema.ts';
import type { Prober, ProbeResult } from '../probes/probe.ts';

export interface ProbeRoundsOptions {
  db: Kysely<Schema>;
  prober: Prober;
  settings: LivenessSettings;
  intervalMs: number;
  clock: Clock;
  /** A good answer is a sign of life. */
  onAlive: (agent: { namespace: string; name: string; agentId: string }, leaseMs: number) => void;
  submit: (namespace: string, command: Command) => Promise<CommandResult>;
  onError: (error: unknown) => void;
  /** Most probes under way. Default 1,000; tests set less, since to fill that takes thousands of agents. */
  maxUnderWay?: number;
}

/** How often this replica claims agents that are due, at most, in milliseconds. */
const TICK_MS = 500;
/** Probes begun in one turn of the event loop: a publish must not wait for hundreds of them. */
const BEGIN_TOGETHER = 8;
/** How often this process notes that it is running, in milliseconds. */
const RUNNING_MS = 250;
/** After a gap longer than this between two notes, in milliseconds, it was stopped or kept busy, and may have missed answers. */
const STALLED_MS = 1000;
/** Results that come within this time are written together, in milliseconds. */
const GATHER_MS = 50;

/** Agents that are shown as not probed in one round, at most. */
const OVERDUE_TOGETHER = 1000;
/** Of an agent that waits for room on every replica. */
const NOT_REACHED: ProbeResult = {
  ok: false,
  kind: 'unprobed',
  reason: 'the core has too many other agents to probe',
  ms: 0,
};

interface Probed {
  readonly due: DueProbe;
  readonly result: ProbeResult;
  readonly now: number;
}

/** Plain numbers, read when Prometheus asks. */
export interface ProbeTally {
  good: number;
  bad: number;
  /** Given up on this side, or not begun in time. */
  givenUp: number;
}

/**
 * Each round claims agents that are due in the store, probes them, and writes the results that come at about the same time
 * together: memories first, then the statuses that have changed. A round without room for all that are due marks those that have
 * waited for a whole interval as not probed. `close` gives up the probes that are under way.
 */
export class ProbeRounds {
  readonly tally: ProbeTally = { good: 0, bad: 0, givenUp: 0 };
  readonly #options: ProbeRoundsOptions;
  readonly #ending = new AbortController();
  readonly #endNotes: () => void;
  readonly #endClaims: () => void;
  /** When this process last noted that it is running, and until when it was last stalled; both monotonic. */
  #runningAt: number;
  #stalledUntil = -Infinity;
  #claiming: Promise<void> = Promise.resolve();
  /** Since when it has claimed without an interruption; monotonic, null when it could not. */
  #claimingSince: number | null = null;
  #underWay = 0;
  #results: Probed[] = [];
  #endGathering: (() => void) | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: ProbeRoundsOptions) {
    const { clock, intervalMs, onError } = options;
    this.#options = options;
    this.#runningAt = clock.monotonicMs();
    this.#endNotes = repeat(clock, RUNNING_MS, () => this.#noteRunning());
    const pauseMs = Math.min(TICK_MS, intervalMs / 4);
    this.#endClaims = repeat(clock, pauseMs, () => (this.#claiming = this.#claim().catch(onError)));
  }

  async close(): Promise<void> {
    this.#ending.abort();
    this.#endNotes();
    this.#endClaims();
    await this.#claiming;
    await this.#options.prober.close();
    this.#endGathering?.();
    await this.#writing;
  }

  async #claim(): Promise<void> {
    const { db, clock, intervalMs, maxUnderWay = 1000 } = this.#options;
    const room = Math.max(0, maxUnderWay - this.#underWay);
    const since = this.#claimingSince ?? clock.monotonicMs();
    // Again only when the store has answered.
    this.#claimingSince = null;
    const claimed = room === 0 ? [] : await claimProbes(db, { intervalMs, limit: room });
    this.#claimingSince = Math.max(since, this.#stalledUntil);
    for (const [place, due] of claimed.entries()) {
      void this.#probe(due);
      if (place % BEGIN_TOGETHER === BEGIN_TOGETHER - 1) await turnOfTheLoop();
    }
    // After an outage, a stop or at the start, all are overdue: they have an interval to be probed in.
    if (claimed.length < room || clock.monotonicMs() - this.#claimingSince < intervalMs) return;
    const overdue = await readOverdueProbes(db, { overdueMs: intervalMs, limit: OVERDUE_TOGETHER });
    for (const due of overdue) this.#note(due, NOT_REACHED, due.now.getTime());
  }

  async #probe(due: DueProbe): Promise<void> {
    const { prober, clock } = this.#options;
    this.#underWay += 1;
    const startedAt = clock.monotonicMs();
    try {
      const result = await prober.probe(due.healthUrl, this.#ending.signal, { namespace: due.namespace });
      if (this.#ending.signal.aborted) return;
      this.#noteRunning();
      // The answer may have come in time, while this process was stalled.
      if (!result.ok && result.kind === 'timeout' && this.#stalledUntil >= startedAt) return;
      this.#note(due, result, due.now.getTime() + Math.round(clock.monotonicMs() - startedAt));
    } catch (error) {
      this.#options.onError(error);
    } finally {
      this.#underWay -= 1;
    }
  }

  #note(due: DueProbe, result: ProbeResult, now: number): void {
    this.#results.push({ due, result, now });
    this.#endGathering ??= this.#options.clock.schedule(GATHER_MS, () => this.#write());
  }

  #noteRunning(): void {
    const now = this.#options.clock.monotonicMs();
    if (now - this.#runningAt > STALLED_MS) this.#stalledUntil = now;
    this.#runningAt = now;
  }

  #write(): Promise<void> {
    this.#endGathering = null;
    const results = this.#results;
    this.#results = [];
    this.#writing = this.#writing.then(() => this.#take(results)).catch(this.#options.onError);
    return this.#writing;
  }

  async #take(results: readonly Probed[]): Promise<void> {
    const { db, settings, onAlive, submit, onError } = this.#options;
    const assessed = results.map(({ due, result, now }) => ({
      due,
      ...probedAgent(examined(due, settings.leaseMs), { result, now }, settings),
    }));
    for (const { result } of results) this.tally[entryOf(result)] += 1;
    for (const { due, isAlive } of assessed) {
      if (isAlive)
        onAlive({ namespace: due.namespace, name: due.name, agentId: due.id }, due.leaseMs ?? settings.leaseMs);
    }
    const changed = assessed.filter(({ due, memory }) => memory !== due.liveness);
    const writes = changed.map(({ due, memory }): MemoryWrite => {
      const { namespace, name, id: agentId, liveness: before } = due;
      return { namespace, name, agentId, before, after: memory };
    });
    const done = await writeMemories(db, writes);
    // An agent whose memory was changed meanwhile is probed again soon; its shown status follows its memory.
    const lost = new Set(changed.filter((_, place) => !done.has(place)).map(({ due }) => due));
    await Promise.all(
      assessed.map(async ({ due, shown }) => {
        if (shown === null || lost.has(due)) return;
        const { namespace, name, id: agentId, incarnation } = due;
        await submit(namespace, { kind: 'status', name, agentId, incarnation, set: shown, seen: false }).catch(
          (error: unknown) => {
            if (!(error instanceof SwarmError) || error.code !== 'NOT_FOUND') onError(error);
          },
        );
      }),
    );
  }
}

function entryOf(result: ProbeResult): keyof ProbeTally {
  if (result.ok) return 'good';
  return result.kind === 'aborted' || result.kind === 'unprobed' ? 'givenUp' : 'bad';
}

const examined = (due: DueProbe, coreLeaseMs: number) => ({
  trip: due.trip,
  memory: memoryOf(due.liveness, due),
  status: due.status,
  hasHealthUrl: true,
  leaseMs: due.leaseMs ?? coreLeaseMs,
  registeredAt: 0,
  lastSeenAt: due.last_seen_at?.getTime() ?? null,
});
