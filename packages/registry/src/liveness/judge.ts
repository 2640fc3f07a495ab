// The one replica that judges: whose lease is over, whose circuit opens, and whether so many fail that the fault is our own.
import { SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import type { Schema } from '../schema.ts';
import { type Assessment, type Examined, judgeAgent, type LivenessSettings } from './assess.ts';
import { afterRound, type Brake, countRound, LEAST_FAILING, releasedBrake } from './brake.ts';
import { advance } from './circuit.ts';
import { flushMsOf, graceAfter, roundMsOf } from './lease.ts';
import { type LivenessMemory, memoryOf } from './liveness-memory.ts';
import { countHealthy } from './queries/count-healthy.ts';
import { leaveDuty } from './queries/leave-duty.ts';
import { readSuspects, type Suspect } from './queries/read-suspects.ts';
import { takeDuty } from './queries/take-duty.ts';
import { type MemoryWrite, writeMemories } from './queries/write-memories.ts';

export interface JudgeOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  /** Rounds of the brake are no shorter, in milliseconds: each agent with a healthUrl has its turn in one. */
  probeIntervalMs: number;
  newId: () => string;
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
/** How long the duty is held without a word, in milliseconds. */
const DUTY_MS = 3000;
/** Agents that are told apart in one statement. */
const CHUNK = 1000;

interface Judged extends Assessment {
  readonly suspect: Suspect;
}

export class Judge {
  readonly #options: JudgeOptions;
  readonly #holder: string;
  readonly #brakes = new Map<string, Brake>();
  #timer: NodeJS.Timeout | null = null;
  #running: Promise<void> = Promise.resolve();
  #lookedAt: number | null = null;
  #graceUntil = Infinity;
  #leasesAt = -Infinity;
  #roundAt: number | null = null;
  #closed = false;

  constructor(options: JudgeOptions) {
    this.#options = options;
    this.#holder = options.newId();
    this.#schedule();
  }

  /** Namespaces in which nobody is tripped or expired now, as far as this replica judges. */
  get suspended(): string[] {
    return [...this.#brakes].filter(([, { state }]) => state === 'suspended').map(([namespace]) => namespace);
  }

  /** Looks once, if the duty is ours. */
  look(): Promise<void> {
    const looked = this.#running.then(() => this.#look());
    this.#running = looked.catch(() => undefined);
    return looked;
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
    await leaveDuty(this.#options.db, DUTY, this.#holder).catch(this.#options.onError);
  }

  #schedule(): void {
    if (this.#closed) return;
    const { leaseMs } = this.#options.settings;
    this.#timer = setTimeout(
      () => {
        this.look()
          .catch(this.#options.onError)
          .finally(() => this.#schedule());
      },
      Math.min(TICK_MS, flushMsOf(leaseMs)),
    );
  }

  async #look(): Promise<void> {
    const { db, settings } = this.#options;
    const { leaseMs } = settings;
    const { isOurs, now } = await takeDuty(db, DUTY, { holder: this.#holder, forMs: DUTY_MS });
    if (!isOurs) {
      this.#lookedAt = null;
      this.#brakes.clear();
      return;
    }
    const grace = graceAfter(this.#lookedAt, now, leaseMs);
    if (grace !== null) {
      this.#graceUntil = grace;
      this.#roundAt = null;
    }
    const isForLeases = now - this.#leasesAt >= roundMsOf(leaseMs);
    const suspects = await readSuspects(db, isForLeases ? leaseMs + 2 * flushMsOf(leaseMs) : null);
    await this.#judge(suspects, now);
    if (isForLeases) this.#leasesAt = now;
    this.#lookedAt = now;
  }

  async #judge(suspects: readonly Suspect[], now: number): Promise<void> {
    const { settings } = this.#options;
    const engaged = await this.#engage(suspects, now);
    const judged: Judged[] = suspects.map((suspect) => {
      const braked = this.#brakes.get(suspect.namespace)?.state === 'suspended' || engaged.has(suspect.namespace);
      const moment = { now, graceUntil: this.#graceUntil, braked };
      return { suspect, ...judgeAgent(examined(suspect), moment, settings) };
    });
    for (let from = 0; from < judged.length; from += CHUNK) await this.#carryOut(judged.slice(from, from + CHUNK));
    await this.#endRound(suspects, now);
  }

  /**
   * Engages brakes before anything counts. It looks at who has begun to fail since the last round; that is seldom so many that
   * the healthy ones have to be counted.
   */
  async #engage(suspects: readonly Suspect[], now: number): Promise<Set<string>> {
    const { db, settings, onBrake, storesAnswer } = this.#options;
    const since = this.#roundAt ?? now - this.#roundMs;
    const signs = new Map<string, { memory: LivenessMemory; isShown: boolean }[]>();
    for (const suspect of suspects) {
      const { memory } = judgeAgent(examined(suspect), { now, graceUntil: this.#graceUntil, braked: true }, settings);
      if (memory === null) continue;
      const own = signs.get(suspect.namespace) ?? [];
      own.push({ memory, isShown: suspect.status.health !== 'healthy' });
      signs.set(suspect.namespace, own);
    }
    const engaged = new Set<string>();
    for (const [namespace, own] of signs) {
      const brake = this.#brakes.get(namespace) ?? releasedBrake;
      const { failing } = countRound(
        own.map(({ memory }) => memory),
        since,
      );
      if (brake.state === 'suspended' || failing < LEAST_FAILING) continue;
      // Who fails and is not shown as healthy any more was healthy a round ago.
      const shown = countRound(
        own.filter(({ isShown }) => isShown).map(({ memory }) => memory),
        since,
      );
      const healthyBefore = (await countHealthy(db, namespace)) + shown.failing;
      const step = afterRound(brake, { healthyBefore, failing, storesAnswered: storesAnswer() });
      if (step.says !== 'suspended') continue;
      this.#brakes.set(namespace, step.brake);
      engaged.add(namespace);
      onBrake(namespace, 'suspended');
    }
    return engaged;
  }

  /** Once a round: brakes come closer to their release, and counts start at zero where one is released. */
  async #endRound(suspects: readonly Suspect[], now: number): Promise<void> {
    const { db, onBrake, storesAnswer, settings } = this.#options;
    this.#roundAt ??= now;
    if (now - this.#roundAt < this.#roundMs) return;
    this.#roundAt = now;
    for (const [namespace, brake] of this.#brakes) {
      const step = afterRound(brake, { healthyBefore: 0, failing: 0, storesAnswered: storesAnswer() });
      this.#brakes.set(namespace, step.brake);
      if (step.says !== 'resumed') continue;
      this.#brakes.delete(namespace);
      const writes = suspects
        .filter(({ namespace: home, liveness }) => home === namespace && liveness !== null)
        .map((suspect): MemoryWrite => {
          const memory = memoryOf(suspect.liveness, suspect);
          const circuit = advance(memory.circuit, { kind: 'forget', at: now }, settings);
          return writeOf(suspect, { ...memory, circuit });
        });
      await writeMemories(db, writes);
      onBrake(namespace, 'resumed');
    }
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

  get #roundMs(): number {
    return Math.max(this.#options.probeIntervalMs, roundMsOf(this.#options.settings.leaseMs));
  }
}

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
