// The mass-failure guards of all namespaces, as the judge uses them: what they count comes from the store.
import type { Kysely } from 'kysely';
import { memoryOf } from '../documents/liveness-memory.ts';
import type { Schema } from '../schema.ts';
import type { Examined, Finding, LivenessSettings } from './assess.ts';
import { advance } from './circuit.ts';
import {
  afterCheck,
  countRound,
  countsBy,
  type Guard,
  type GuardNotice,
  type GuardNumbers,
  guardRoundMs,
  type GuardTimes,
  isCounted,
  isForgotten,
  LEAST_FAILING,
  livedToCountMs,
  waitsForOthers,
  watchingGuard,
} from './mass-failure-guard.ts';
import { countHealthy } from './queries/count-healthy.ts';
import { type NamespaceLeases, readCountedLeases } from './queries/read-counted-leases.ts';
import { readSuspects, type Suspect } from './queries/read-suspects.ts';
import { type MemoryWrite, writeMemories } from './queries/write-memories.ts';
import { type Checked, writeOf } from './suspect-checks.ts';

export interface GuardsOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  /** What the length of a round follows from. */
  times: GuardTimes;
  /** The mass-failure guard of a namespace engaged, because of these numbers; or liveness resumed, and then they are null. */
  onGuard: (namespace: string, notice: GuardNotice, numbers: GuardNumbers | null) => void;
}

/** A judge that takes the duty begins with none engaged. With each check: `resume`, then `engage`, then the agents are judged. */
export class Guards {
  readonly #options: GuardsOptions;
  /** The guards that are engaged, or were lately, by namespace. */
  readonly #guards = new Map<string, Guard>();
  /** Of namespaces in which agents fail, or that have a guard. */
  #leases = new Map<string, NamespaceLeases>();

  constructor(options: GuardsOptions) {
    this.#options = options;
  }

  /** Namespaces in which no agent is tripped or expired now. */
  get suspended(): string[] {
    return [...this.#guards.keys()].filter((namespace) => this.isSuspended(namespace));
  }

  /** Namespaces in which an agent may have to wait for others. */
  get waiting(): string[] {
    return [...this.#leases].flatMap(([name, { agents }]) => (agents >= LEAST_FAILING ? [name] : []));
  }

  isSuspended(namespace: string): boolean {
    return this.#guards.get(namespace)?.state === 'suspended';
  }

  clear(): void {
    this.#guards.clear();
  }

  /** The leases that decide how long the rounds of the guard are, and which agents wait: read again with each check of all agents. */
  async #readLeases(checked: readonly Checked[], isWhole: boolean): Promise<void> {
    const { db, settings } = this.#options;
    const failing = checked.flatMap(({ suspect, finding }) =>
      finding.memory.failingSince === null ? [] : [suspect.namespace],
    );
    const wanted = new Set([...failing, ...this.#guards.keys()]);
    const unknown = isWhole ? [...wanted] : [...wanted].filter((namespace) => !this.#leases.has(namespace));
    if (isWhole) this.#leases = new Map();
    for (const [namespace, leases] of await readCountedLeases(db, unknown, settings.leaseMs)) {
      this.#leases.set(namespace, leases);
    }
  }

  #leasesOf(namespace: string): NamespaceLeases {
    const { leaseMs } = this.#options.settings;
    return this.#leases.get(namespace) ?? { shortestMs: leaseMs, longestMs: leaseMs, agents: 0 };
  }

  #roundMs(namespace: string): number {
    return guardRoundMs(this.#leasesOf(namespace), this.#options.times);
  }

  /** Whether an agent that has missed its lease waits for others that may have vanished with it. */
  waits(namespace: string, { agent, finding, now }: Pick<Checked, 'agent' | 'finding'> & { now: number }): boolean {
    if (agent.hasHealthUrl) return false;
    const { agents } = this.#leasesOf(namespace);
    return waitsForOthers(finding.memory.failingSince, { now, roundMs: this.#roundMs(namespace), agents });
  }

  /**
   * Engages guards before anything counts. `isWhole`: all agents are checked that fail. Few agents begin to fail within a round as a rule, and then the healthy ones need
   * not be counted.
   */
  async engage(checked: readonly Checked[], { now, isWhole }: { now: number; isWhole: boolean }): Promise<void> {
    await this.#readLeases(checked, isWhole);
    const { db, onGuard, settings } = this.#options;
    const coreLeaseMs = settings.leaseMs;
    const signsOf = ({ finding, agent }: Checked) => signsOfAgent(agent, finding, coreLeaseMs);
    for (const [namespace, own] of Map.groupBy(checked, ({ suspect }) => suspect.namespace)) {
      const watching = this.#guards.get(namespace) ?? watchingGuard;
      if (watching.state === 'suspended') continue;
      const roundMs = this.#roundMs(namespace);
      const window = { roundAgo: now - roundMs, countsBy: countsBy(watching, now) };
      const { failing } = countRound(own.map(signsOf), window);
      if (failing < LEAST_FAILING) continue;
      // An agent that fails and is not shown as healthy any more was healthy a round ago.
      const unshown = own.filter(({ suspect }) => suspect.status.health !== 'healthy');
      const known = countRound(unshown.map(signsOf), window).failing;
      const healthyBefore =
        known +
        (await countHealthy(db, namespace, {
          atMost: 2 * failing + 1,
          countsBy: window.countsBy,
          coreLeaseMs,
        }));
      const { guard, notice } = afterCheck(watching, {
        now,
        roundMs,
        healthyBefore,
        failing,
        storesAnswered: true,
      });
      if (notice !== 'suspended') continue;
      this.#guards.set(namespace, guard);
      onGuard(namespace, notice, { healthyBefore, failing });
    }
  }

  /** Counts the rounds of the engaged guards; where liveness resumes, counts start at zero before anything is judged. */
  async resume(now: number, storesAnswered: boolean): Promise<void> {
    const { onGuard } = this.#options;
    for (const [namespace, guard] of this.#guards) {
      if (isForgotten(guard, now)) this.#guards.delete(namespace);
      if (guard.state === 'watching') continue;
      const roundMs = this.#roundMs(namespace);
      const step = afterCheck(guard, { now, roundMs, healthyBefore: 0, failing: 0, storesAnswered });
      if (step.notice === 'resumed') {
        await this.#forgetFailures(namespace, now);
        onGuard(namespace, step.notice, null);
      }
      this.#guards.set(namespace, step.guard);
    }
  }

  async #forgetFailures(namespace: string, now: number): Promise<void> {
    const { db, settings } = this.#options;
    let missed: number;
    do {
      const suspects = await readSuspects(db, 'known', settings.leaseMs);
      const counted = suspects.filter((suspect) => suspect.namespace === namespace && hasFailed(suspect));
      const writes = counted.map((suspect): MemoryWrite => {
        const { badTrial: _, ...memory } = memoryOf(suspect.liveness, suspect);
        return writeOf(suspect, { ...memory, circuit: advance(memory.circuit, { kind: 'forget', at: now }, settings) });
      });
      const done = await writeMemories(db, writes);
      // Probes write at the same time.
      missed = writes.length - done.size;
    } while (missed > 0);
  }
}

const signsOfAgent = (agent: Examined, { memory }: Finding, coreLeaseMs: number) => ({
  ...memory,
  countsFrom: isCounted(agent, coreLeaseMs) ? agent.registeredAt + livedToCountMs(agent.leaseMs, coreLeaseMs) : null,
});

const hasFailed = ({ liveness }: Suspect): boolean =>
  liveness !== null && (liveness.circuit.failures > 0 || liveness.badTrial !== undefined);
