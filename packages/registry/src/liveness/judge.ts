// The one replica that judges: whose lease is over, whose circuit opens, and whether so many fail that the fault is our own.
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import type { Schema } from '../schema.ts';
import { type Clock, repeat } from '../clock.ts';
import { type Assessment, type Examined, judgeAgent, type LivenessSettings, type Look, lookAt } from './assess.ts';
import { afterLook, type Brake, countRound, LEAST_FAILING, releasedBrake } from './mass-failure-guard.ts';
import { advance } from './circuit.ts';
import { flushMsOf, graceAfter, lookMsOf } from './lease.ts';
import { memoryOf } from '../documents/liveness-memory.ts';
import { countHealthy } from './queries/count-healthy.ts';
import { leaveDuty } from './queries/leave-duty.ts';
import { readSuspects, readUrgent, type Suspect } from './queries/read-suspects.ts';
import { takeDuty } from './queries/take-duty.ts';
import { type MemoryWrite, writeMemories } from './queries/write-memories.ts';

export interface JudgeOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  /** How long a round of the brake takes, in milliseconds: `brakeRoundMs`. */
  roundMs: number;
  clock: Clock;
  /** For how long there have been signs of life that this replica has not written, in milliseconds. */
  unwrittenMs: () => number;
  submit: (namespace: string, command: Command) => Promise<CommandResult>;
  /** Nobody of `namespace` is tripped or expired for now, or no longer. */
  onBrake: (namespace: string, says: 'suspended' | 'resumed') => void;
  /** Whether the core's other stores answer. */
  storesAnswer: () => boolean;
  onError: (error: unknown) => void;
}

const DUTY = 'liveness';
/** How often the judge looks, at most, in milliseconds: others hear of an opened circuit within a second. */
const TICK_MS = 400;
/** How often it looks at everybody of whom something is remembered, at least, in milliseconds. */
const WHOLE_MS = 5000;
/** How long the duty is held without a word, in milliseconds. */
export const DUTY_MS = 3000;
/** Agents that are told apart in one statement. */
const CHUNK = 1000;

/** A suspect, and what the present look has found. */
interface Found {
  readonly suspect: Suspect;
  readonly agent: Examined;
  readonly look: Look;
}

interface Judged extends Assessment {
  readonly suspect: Suspect;
}

export class Judge {
  readonly #options: JudgeOptions;
  readonly #holder: string;
  readonly #endLooks: () => void;
  /** Those that are not released. */
  readonly #brakes = new Map<string, Brake>();
  #running: Promise<void> = Promise.resolve();
  #lookedAt: number | null = null;
  #graceUntil = Infinity;
  #leasesAt = -Infinity;
  #wholeAt = -Infinity;

  constructor(options: JudgeOptions) {
    const { clock, settings, onError } = options;
    this.#options = options;
    this.#holder = clock.newId();
    const pauseMs = Math.min(TICK_MS, lookMsOf(settings.leaseMs));
    this.#endLooks = repeat(clock, pauseMs, () => (this.#running = this.#look().catch(onError)));
  }

  /** Namespaces in which nobody is tripped or expired now, as far as this replica judges. */
  get suspended(): string[] {
    return [...this.#brakes.keys()];
  }

  async close(): Promise<void> {
    this.#endLooks();
    await this.#running;
    await leaveDuty(this.#options.db, DUTY, this.#holder).catch(this.#options.onError);
  }

  /** Looks once, if the duty is ours. */
  async #look(): Promise<void> {
    const { settings, unwrittenMs, storesAnswer } = this.#options;
    const { leaseMs } = settings;
    const { isOurs, now } = await this.#takeDuty();
    if (!isOurs) {
      this.#lookedAt = null;
      this.#brakes.clear();
      return;
    }
    const attention = { previousLookAt: this.#lookedAt, unwrittenMs: unwrittenMs() };
    const grace = graceAfter(attention, now, leaseMs);
    if (grace !== null) this.#graceUntil = grace;
    await this.#releaseBrakes(now, grace === null && storesAnswer());
    const suspects = await this.#suspects(now);
    const moment = { now, graceUntil: this.#graceUntil };
    const found: Found[] = [];
    for (const suspect of suspects) {
      const agent = examined(suspect);
      found.push({ suspect, agent, look: lookAt(agent, moment, settings) });
      if (found.length % CHUNK === 0) await turnOfTheLoop();
    }
    await this.#engageBrakes(found, now);
    let answeredAt = now;
    for (let from = 0; from < found.length; from += CHUNK) {
      if (from > 0) {
        // Much to carry out takes long, and the duty must not pass to somebody who knows of no brake.
        const duty = await this.#takeDuty();
        if (!duty.isOurs) return;
        answeredAt = duty.now;
      }
      const judged = found.slice(from, from + CHUNK).map(({ suspect, agent, look }): Judged => {
        const braked = this.#brakes.has(suspect.namespace);
        return { suspect, ...judgeAgent(agent, look, { now, braked }, settings) };
      });
      await this.#carryOut(judged);
    }
    this.#lookedAt = answeredAt;
  }

  /** Everybody now and then; in between what cannot wait, since whole fleets may be silent for hours. */
  async #suspects(now: number): Promise<Suspect[]> {
    const { db, settings } = this.#options;
    const { leaseMs, threshold } = settings;
    // Also when the clock went back.
    const isForLeases = Math.abs(now - this.#leasesAt) >= lookMsOf(leaseMs);
    if (!isForLeases && Math.abs(now - this.#wholeAt) < WHOLE_MS) {
      const urgent = await readUrgent(db, { now, threshold, except: this.suspended });
      // Before a circuit opens the brake is asked, and that takes everybody who fails.
      if (urgent.every(({ liveness }) => liveness?.circuit.circuit === 'open')) return urgent;
    }
    const suspects = await readSuspects(db, isForLeases ? leaseMs + 2 * flushMsOf(leaseMs) : null);
    this.#wholeAt = now;
    if (isForLeases) this.#leasesAt = now;
    return suspects;
  }

  #takeDuty(): ReturnType<typeof takeDuty> {
    return takeDuty(this.#options.db, DUTY, { holder: this.#holder, forMs: DUTY_MS });
  }

  /**
   * Engages brakes before anything counts. It looks at who has begun to fail within a round; that is seldom so many that the
   * healthy ones have to be counted.
   */
  async #engageBrakes(found: readonly Found[], now: number): Promise<void> {
    const { db, roundMs, onBrake } = this.#options;
    for (const [namespace, own] of Map.groupBy(found, ({ suspect }) => suspect.namespace)) {
      if (this.#brakes.has(namespace)) continue;
      const { failing } = countRound(own.map(signsOf), now - roundMs);
      if (failing < LEAST_FAILING) continue;
      // Who fails and is not shown as healthy any more was healthy a round ago.
      const unshown = own.filter(({ suspect }) => suspect.status.health !== 'healthy');
      const known = countRound(unshown.map(signsOf), now - roundMs).failing;
      const healthyBefore = known + (await countHealthy(db, namespace, { atMost: 2 * failing + 1 }));
      const { brake, says } = afterLook(releasedBrake, { now, roundMs, healthyBefore, failing, storesAnswered: true });
      if (says !== 'suspended') continue;
      this.#brakes.set(namespace, brake);
      onBrake(namespace, says);
    }
  }

  /** Brings brakes closer to their release; where one is released, counts start at zero before anything is judged. */
  async #releaseBrakes(now: number, storesAnswered: boolean): Promise<void> {
    const { roundMs, onBrake } = this.#options;
    for (const [namespace, brake] of this.#brakes) {
      const step = afterLook(brake, { now, roundMs, healthyBefore: 0, failing: 0, storesAnswered });
      if (step.says === 'resumed') {
        await this.#forgetFailures(namespace, now);
        this.#brakes.delete(namespace);
        onBrake(namespace, step.says);
      } else this.#brakes.set(namespace, step.brake);
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
      // Probes write beside us.
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
      // A sign of life refutes that the agent is silent; it is no reason to withhold that it is well again.
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

const signsOf = ({ look }: Found) => look.memory;
const hasFailed = ({ liveness }: Suspect): boolean =>
  liveness !== null && (liveness.circuit.failures > 0 || liveness.badTrial !== undefined);

const writeOf = (suspect: Suspect, memory: MemoryWrite['after']): MemoryWrite => ({
  namespace: suspect.namespace,
  name: suspect.name,
  agentId: suspect.id,
  before: suspect.liveness,
  after: memory,
});

function examined(suspect: Suspect): Examined {
  const { liveness, status, hasHealthUrl, registeredAt, last_seen_at } = suspect;
  return {
    memory: memoryOf(liveness, suspect),
    status,
    hasHealthUrl,
    registeredAt: Date.parse(registeredAt),
    lastSeenAt: last_seen_at?.getTime() ?? null,
  };
}
