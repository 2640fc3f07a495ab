// A program that writes without pause, and repeats what was not accepted until it is: as agents do.
import { call, type Core, type Outcome, registration } from '@hypercode/core-runtime/testing';
import type { Agent, AgentRegistrationInput } from '@hypercode/contracts';
import { setTimeout as delay } from 'node:timers/promises';

/** What the core said it has done. */
export interface Acknowledged {
  kind: 'created' | 'updated' | 'unchanged' | 'deregistered';
  agent: Agent;
}

/** A call that was not accepted. */
export interface Refused {
  code: string;
  message: string;
  /** What went on in the test when the call began, and when it ended. */
  during: readonly [string, string];
}

export interface WriterOptions {
  core: Core;
  /** Names the writer; it also seeds the writer's choices. */
  number: number;
  /** Writers choose from the same names, so that they meet. */
  names: readonly string[];
  /** What goes on in the test right now. */
  phase: () => string;
}

/** Between two calls: there are many watchers to tell. */
const PACE_MS = 8;

const roleOf = (name: string): string => (name.length % 2 === 0 ? 'scout' : 'miner');

export class Writer {
  readonly acknowledged: Acknowledged[] = [];
  readonly refused: Refused[] = [];
  readonly #options: WriterOptions;
  readonly #running: Promise<void>;
  #random: number;
  #stopped = false;

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#random = options.number + 1;
    this.#running = this.#run();
  }

  /** Resolves when the call under way was accepted. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const name = this.#pick(this.#options.names);
      if (this.#next(8) === 0) await this.#deregister(name);
      else await this.#register(name);
      await delay(PACE_MS);
    }
  }

  async #register(name: string): Promise<void> {
    const { agent, outcome } = await this.#insist(() =>
      call(this.#options.core, 'registry.register', this.#invent(name)),
    );
    this.acknowledged.push({ kind: outcome, agent });
  }

  async #deregister(name: string): Promise<void> {
    const removed = await this.#insist(async (): Promise<Outcome<{ agent: Agent } | null>> => {
      const outcome = await call(this.#options.core, 'registry.deregister', { name });
      // Another writer was faster, or this one before its answer was lost.
      return !outcome.ok && outcome.code === 'NOT_FOUND' ? { ok: true, data: null } : outcome;
    });
    if (removed !== null) this.acknowledged.push({ kind: 'deregistered', agent: removed.agent });
  }

  /** Chosen anew for each try, so a repeated call often differs from the lost one. */
  #invent(name: string): AgentRegistrationInput {
    return registration(name, {
      role: roleOf(name),
      version: `1.${this.#options.number}.${this.#next(4)}`,
      capabilities: this.#pick([[], ['dig'], ['dig', 'carry']]),
      labels: { tier: this.#pick(['gold', 'tin']) },
    });
  }

  async #insist<T>(attempt: () => Promise<Outcome<T>>): Promise<T> {
    for (;;) {
      const began = this.#options.phase();
      const outcome = await attempt();
      if (outcome.ok) return outcome.data;
      const { code, message } = outcome;
      this.refused.push({ code, message, during: [began, this.#options.phase()] });
      await delay(PACE_MS * 4);
    }
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#next(choices.length)] as T;
  }

  /** A number below `bound`: the same ones in every run (Park and Miller's generator). */
  #next(bound: number): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    return Math.floor(this.#random / 7) % bound;
  }
}
