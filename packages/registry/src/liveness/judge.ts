// The one replica that judges: which leases have ended, which circuits open, and whether so many agents fail together that
// the fault is likely the core's own.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import type { Schema } from '../schema.ts';
import { type Clock, repeat } from '@hypercode/clock';
import {
  type Assessment,
  checkAgent,
  type Examined,
  type Finding,
  judgeAgent,
  type LivenessSettings,
} from './assess.ts';
import {
  afterCheck,
  countRound,
  countsSince,
  type Guard,
  type GuardNotice,
  type GuardNumbers,
  isForgotten,
  LEAST_FAILING,
  watchingGuard,
} from './mass-failure-guard.ts';
import { advance } from './circuit.ts';
import { graceAfter, checkMsOf } from './lease.ts';
import { flushMsOf } from '../documents/lease-times.ts';
import { memoryOf } from '../documents/liveness-memory.ts';
import { adoptTrips } from './queries/adopt-trips.ts';
import { countHealthy } from './queries/count-healthy.ts';
import { leaveDuty } from './queries/leave-duty.ts';
import { readSuspects, readUrgent, type Suspect } from './queries/read-suspects.ts';
import { takeDuty } from './queries/take-duty.ts';
import { type MemoryWrite, writeMemories } from './queries/write-memories.ts';

export interface JudgeOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  /** How long a round of the mass-failure guard takes, in milliseconds: `guardRoundMs`. */
  roundMs: number;
  clock: Clock;
  /** For how long there have been signs of life that this replica has not written, in milliseconds. */
  unwrittenMs: () => number;
  submit: (namespace: string, command: Command) => Promise<CommandResult>;
  /** The mass-failure guard of a namespace engaged, because of these numbers; or liveness resumed, and then they are null. */
  onGuard: (namespace: string, notice: GuardNotice, numbers: GuardNumbers | null) => void;
  /** Whether the core's other stores answer. */
  storesAnswer: () => boolean;
  onError: (error: unknown) => void;
}

const DUTY = 'liveness';
/** How often the judge checks, at most, in milliseconds: an opened circuit is known everywhere within a second. */
const TICK_MS = 400;
/** How often it checks all agents of which something is remembered, at least, in milliseconds. */
const WHOLE_MS = 5000;
/** How long the duty is held without being renewed, in milliseconds. */
export const DUTY_MS = 3000;
/** Agents in one statement. */
const CHUNK = 1000;

/** A suspect, and what the present check has found. */
interface Checked {
  readonly suspect: Suspect;
  readonly agent: Examined;
  readonly finding: Finding;
}

interface Judged extends Assessment {
  readonly suspect: Suspect;
}

/**
 * Every replica has a judge, and each of its checks begins by taking the duty, which one of them holds at a time. The holder
 * knows everything else from the store, but for the guards that are engaged and the grace after an interruption, which a new
 * holder begins with. Ended by `close`, which gives the duty up.
 */
export class Judge {
  readonly #options: JudgeOptions;
  readonly #holder: string;
  readonly #endChecks: () => void;
  /** The guards that are engaged, or were lately, by namespace. */
  readonly #guards = new Map<string, Guard>();
  #running: Promise<void> = Promise.resolve();
  #checkedAt: number | null = null;
  #graceUntil = Infinity;
  #leasesAt = -Infinity;
  #wholeAt = -Infinity;

  constructor(options: JudgeOptions) {
    const { clock, settings, onError } = options;
    this.#options = options;
    this.#holder = clock.newId();
    const pauseMs = Math.min(TICK_MS, checkMsOf(settings.leaseMs));
    this.#endChecks = repeat(clock, pauseMs, () => (this.#running = this.#check().catch(onError)));
  }

  /** Namespaces in which no agent is tripped or expired now, if this replica judges. */
  get suspended(): string[] {
    return [...this.#guards.keys()].filter((namespace) => this.#isSuspended(namespace));
  }

  #isSuspended(namespace: string): boolean {
    return this.#guards.get(namespace)?.state === 'suspended';
  }

  async close(): Promise<void> {
    this.#endChecks();
    await this.#running;
    await leaveDuty(this.#options.db, DUTY, this.#holder).catch(this.#options.onError);
  }

  /** Checks once, if this replica has the duty. */
  async #check(): Promise<void> {
    const { settings, unwrittenMs, storesAnswer } = this.#options;
    const { leaseMs } = settings;
    const { isOurs, now } = await this.#takeDuty();
    if (!isOurs) {
      this.#checkedAt = null;
      this.#guards.clear();
      return;
    }
    const attention = { previousCheckAt: this.#checkedAt, unwrittenMs: unwrittenMs() };
    const grace = graceAfter(attention, now, leaseMs);
    if (grace !== null) this.#graceUntil = grace;
    await this.#resumeLiveness(now, grace === null && storesAnswer());
    const suspects = await this.#suspects(now);
    const moment = { now, graceUntil: this.#graceUntil };
    const checked: Checked[] = [];
    for (const suspect of suspects) {
      const agent = examined(suspect);
      checked.push({ suspect, agent, finding: checkAgent(agent, moment, settings) });
      if (checked.length % CHUNK === 0) await turnOfTheLoop();
    }
    await this.#engageGuards(checked, now);
    let answeredAt = now;
    for (let from = 0; from < checked.length; from += CHUNK) {
      if (from > 0) {
        // Much to carry out takes long, and the duty must not pass to a replica that does not know which guards are engaged.
        const duty = await this.#takeDuty();
        if (!duty.isOurs) return;
        answeredAt = duty.now;
      }
      const judged = checked.slice(from, from + CHUNK).map(({ suspect, agent, finding }): Judged => {
        const suspended = this.#isSuspended(suspect.namespace);
        return { suspect, ...judgeAgent(agent, finding, { now, suspended }, settings) };
      });
      await this.#carryOut(judged);
    }
    this.#checkedAt = answeredAt;
  }

  /** All suspects now and then; in between only those that cannot wait, since whole fleets may be silent for hours. */
  async #suspects(now: number): Promise<Suspect[]> {
    const { db, settings } = this.#options;
    const { leaseMs, threshold } = settings;
    // Also when the clock went back.
    const isForLeases = Math.abs(now - this.#leasesAt) >= checkMsOf(leaseMs);
    if (!isForLeases && Math.abs(now - this.#wholeAt) < WHOLE_MS) {
      const urgent = await readUrgent(db, { now, threshold, except: this.suspended });
      // Before a circuit opens the guard is checked, and that takes all failing agents.
      if (urgent.every(({ liveness }) => liveness?.circuit.circuit === 'open')) return urgent;
    }
    const suspects = await readSuspects(db, isForLeases ? leaseMs + 2 * flushMsOf(leaseMs) : null);
    if (suspects.some(isTrippedUnheld)) await adoptTrips(db);
    this.#wholeAt = now;
    if (isForLeases) this.#leasesAt = now;
    return suspects;
  }

  #takeDuty(): ReturnType<typeof takeDuty> {
    return takeDuty(this.#options.db, DUTY, { holder: this.#holder, forMs: DUTY_MS });
  }

  /**
   * Engages guards before anything counts. Few agents begin to fail within a round as a rule, and then the healthy ones need
   * not be counted.
   */
  async #engageGuards(checked: readonly Checked[], now: number): Promise<void> {
    const { db, roundMs, onGuard, settings } = this.#options;
    for (const [namespace, own] of Map.groupBy(checked, ({ suspect }) => suspect.namespace)) {
      const watching = this.#guards.get(namespace) ?? watchingGuard;
      if (watching.state === 'suspended') continue;
      const registeredBy = countsSince(watching, { now, leaseMs: settings.leaseMs });
      const window = { roundAgo: now - roundMs, registeredBy };
      const { failing } = countRound(own.map(signsOf), window);
      if (failing < LEAST_FAILING) continue;
      // An agent that fails and is not shown as healthy any more was healthy a round ago.
      const unshown = own.filter(({ suspect }) => suspect.status.health !== 'healthy');
      const known = countRound(unshown.map(signsOf), window).failing;
      const healthyBefore = known + (await countHealthy(db, namespace, { atMost: 2 * failing + 1, registeredBy }));
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
  async #resumeLiveness(now: number, storesAnswered: boolean): Promise<void> {
    const { roundMs, onGuard } = this.#options;
    for (const [namespace, guard] of this.#guards) {
      if (isForgotten(guard, now)) this.#guards.delete(namespace);
      if (guard.state === 'watching') continue;
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
      const suspects = await readSuspects(db, null);
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

  async #carryOut(judged: readonly Judged[]): Promise<void> {
    const { db, submit, onError } = this.#options;
    const changed = judged.filter(({ suspect, memory, expired }) => expired === null && memory !== suspect.liveness);
    const writes = changed.map(({ suspect, memory }) => writeOf(suspect, memory));
    const done = await writeMemories(db, writes);
    const stale = new Set(changed.filter((_, place) => !done.has(place)).map(({ suspect }) => suspect));
    const commands = judged.flatMap(({ suspect, shown, expired }): [string, Command][] => {
      const { namespace, name, id: agentId, incarnation, last_seen_at } = suspect;
      const unlessSeenAfter = last_seen_at?.getTime() ?? 0;
      if (expired !== null) return [[namespace, { kind: 'expire', name, agentId, reason: expired, unlessSeenAfter }]];
      if (shown === null || stale.has(suspect)) return [];
      const status = { kind: 'status', name, agentId, incarnation, set: shown, seen: false } as const;
      // A later sign of life refutes that the agent is silent; that the agent is well again is shown all the same.
      return [[namespace, shown.health === 'unhealthy' ? { ...status, unlessSeenAfter } : status]];
    });
    await Promise.all(
      commands.map(([namespace, command]) =>
        submit(namespace, command).catch((error: unknown) => {
          if (!(error instanceof SwarmError) || error.code !== 'NOT_FOUND') onError(error);
        }),
      ),
    );
  }
}

const signsOf = ({ finding, agent }: Checked) => ({ ...finding.memory, registeredAt: agent.registeredAt });
const hasFailed = ({ liveness }: Suspect): boolean =>
  liveness !== null && (liveness.circuit.failures > 0 || liveness.badTrial !== undefined);

/** A replica of a release without trips by name has tripped the process. */
const isTrippedUnheld = (suspect: Suspect): boolean =>
  suspect.trip === null && memoryOf(suspect.liveness, suspect).circuit.tripped;

const writeOf = (suspect: Suspect, memory: MemoryWrite['after']): MemoryWrite => ({
  namespace: suspect.namespace,
  name: suspect.name,
  agentId: suspect.id,
  before: suspect.liveness,
  after: memory,
});

function examined(suspect: Suspect): Examined {
  const { liveness, status, hasHealthUrl, registeredAt, last_seen_at, trip } = suspect;
  return {
    trip,
    memory: memoryOf(liveness, suspect),
    status,
    hasHealthUrl,
    registeredAt: Date.parse(registeredAt),
    lastSeenAt: last_seen_at?.getTime() ?? null,
  };
}
