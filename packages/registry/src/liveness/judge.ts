// The one replica that judges: which leases have ended, which circuits open, and whether so many agents fail together that
// the fault is likely the core's own.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { LIMITS, SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import type { Schema } from '../schema.ts';
import { type Clock, repeat } from '@hypercode/clock';
import { flushMsOf } from '../documents/lease-times.ts';
import { memoryOf } from '../documents/liveness-memory.ts';
import { type Assessment, checkAgent, judgeAgent, type LivenessSettings } from './assess.ts';
import { Graces } from './graces.ts';
import { Guards } from './guards.ts';
import { checkMsOf } from './lease.ts';
import type { GuardNotice, GuardNumbers, GuardTimes } from './mass-failure-guard.ts';
import { adoptTrips } from './queries/adopt-trips.ts';
import { leaveDuty } from './queries/leave-duty.ts';
import { readSuspects, readUrgent, type Suspect } from './queries/read-suspects.ts';
import { takeDuty } from './queries/take-duty.ts';
import { writeMemories } from './queries/write-memories.ts';
import { type Checked, examined, writeOf } from './suspect-checks.ts';

export interface JudgeOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  /** What the length of the rounds of the mass-failure guard follows from. */
  times: GuardTimes;
  clock: Clock;
  /** For how long there have been signs of life of a batch that this replica has not written, in milliseconds. */
  unwrittenMs: (batchMs: number) => number;
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
  readonly #guards: Guards;
  #running: Promise<void> = Promise.resolve();
  readonly #graces: Graces;
  #checkedAt: number | null = null;
  #leasesAt = -Infinity;
  #shortLeasesAt = -Infinity;
  #wholeAt = -Infinity;

  constructor(options: JudgeOptions) {
    const { db, clock, settings, times, onGuard, onError } = options;
    this.#options = options;
    this.#guards = new Guards({ db, settings, times, onGuard });
    this.#holder = clock.newId();
    this.#graces = new Graces(settings.leaseMs);
    const pauseMs = Math.min(TICK_MS, flushMsOf(settings.leaseMs));
    this.#endChecks = repeat(clock, pauseMs, () => (this.#running = this.#check().catch(onError)));
  }

  /** Namespaces in which no agent is tripped or expired now, if this replica judges. */
  get suspended(): string[] {
    return this.#guards.suspended;
  }

  async close(): Promise<void> {
    this.#endChecks();
    await this.#running;
    await leaveDuty(this.#options.db, DUTY, this.#holder).catch(this.#options.onError);
  }

  /** Checks once, if this replica has the duty. */
  async #check(): Promise<void> {
    const { settings, unwrittenMs, storesAnswer } = this.#options;
    const { isOurs, now } = await this.#takeDuty();
    if (!isOurs) {
      this.#checkedAt = null;
      this.#guards.clear();
      return;
    }
    const wasAway = this.#graces.note(this.#checkedAt, now, unwrittenMs);
    await this.#guards.resume(now, !wasAway && storesAnswer());
    const { suspects, isWhole } = await this.#suspects(now);
    const checked: Checked[] = [];
    for (const suspect of suspects) {
      const agent = examined(suspect, settings.leaseMs);
      const moment = { now, graceFrom: this.#graces.from(agent.leaseMs) };
      checked.push({ suspect, agent, finding: checkAgent(agent, moment, settings) });
      if (checked.length % CHUNK === 0) await turnOfTheLoop();
    }
    await this.#guards.engage(checked, { now, isWhole });
    let answeredAt = now;
    for (let from = 0; from < checked.length; from += CHUNK) {
      if (from > 0) {
        // Much to carry out takes long, and the duty must not pass to a replica that does not know which guards are engaged.
        const duty = await this.#takeDuty();
        if (!duty.isOurs) return;
        answeredAt = duty.now;
      }
      const judged = checked.slice(from, from + CHUNK).map(({ suspect, agent, finding }): Judged => {
        const suspended = this.#guards.isSuspended(suspect.namespace);
        // Before an agent expires the guard is checked, and that takes all failing agents.
        const waits =
          this.#guards.waits(suspect.namespace, { agent, finding, now }) || (!isWhole && finding.expired !== null);
        return { suspect, ...judgeAgent(agent, finding, { now, suspended, waits }, settings) };
      });
      await this.#carryOut(judged);
    }
    this.#checkedAt = answeredAt;
  }

  /**
   * All suspects now and then, and those with short leases more often; in between only those that cannot wait, since whole fleets
   * may be silent for hours. `isWhole`: it is all of them.
   */
  async #suspects(now: number): Promise<{ suspects: Suspect[]; isWhole: boolean }> {
    const { db, settings } = this.#options;
    const { leaseMs, threshold } = settings;
    // Also when the clock went back.
    const isDue = (at: number, everyMs: number): boolean => Math.abs(now - at) >= everyMs;
    const isForLeases = isDue(this.#leasesAt, flushMsOf(leaseMs));
    if (!isForLeases && !isDue(this.#wholeAt, WHOLE_MS)) {
      const { suspended: except, waiting } = this.#guards;
      const urgent = await readUrgent(db, { now, threshold, except, waiting });
      const isForShort = isDue(this.#shortLeasesAt, checkMsOf(LIMITS.leaseMinMs, leaseMs));
      const short = isForShort ? await readSuspects(db, 'short', leaseMs) : [];
      if (isForShort) this.#shortLeasesAt = now;
      // Before a circuit opens the guard is checked, and that takes all failing agents.
      const opensNone =
        urgent.every(({ liveness }) => liveness?.circuit.circuit === 'open') &&
        short.every((suspect) => !mayOpen(suspect, threshold));
      if (opensNone) return { suspects: distinct([...urgent, ...short]), isWhole: false };
    }
    const suspects = await readSuspects(db, isForLeases ? 'all' : 'known', leaseMs);
    if (suspects.some(isTrippedUnheld)) await adoptTrips(db);
    this.#wholeAt = now;
    if (isForLeases) this.#leasesAt = now;
    return { suspects, isWhole: true };
  }

  #takeDuty(): ReturnType<typeof takeDuty> {
    return takeDuty(this.#options.db, DUTY, { holder: this.#holder, forMs: DUTY_MS });
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

/** Whether another missed lease may open the circuit. */
const mayOpen = ({ liveness }: Suspect, threshold: number): boolean =>
  (liveness?.circuit.circuit ?? 'closed') === 'closed' && (liveness?.circuit.failures ?? 0) >= threshold;

/** An agent with a short lease may be urgent, too. */
const distinct = (suspects: readonly Suspect[]): Suspect[] => [
  ...new Map(suspects.map((suspect) => [suspect.id, suspect])).values(),
];

/** A replica of a release without trips by name has tripped the process. */
const isTrippedUnheld = (suspect: Suspect): boolean =>
  suspect.trip === null && memoryOf(suspect.liveness, suspect).circuit.tripped;
