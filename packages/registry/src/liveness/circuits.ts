// The commands of operators on circuits: trip and reset.
import type { Clock } from '@hypercode/clock';
import { type Agent, type ResetInput, SwarmError, type TripInput } from '@hypercode/contracts';
import { unavailable } from '@hypercode/stores';
import type { Kysely } from 'kysely';
import type { AgentQueries } from '../agents/agent-queries.ts';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import { memoryOf } from '../documents/liveness-memory.ts';
import type { Schema } from '../schema.ts';
import type { LivenessSettings } from './assess.ts';
import { advance, type CircuitEvent, shownCircuit } from './circuit.ts';
import { readLiveness } from './queries/read-liveness.ts';
import { writeMemories } from './queries/write-memories.ts';

export interface CircuitsOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  clock: Clock;
  queries: AgentQueries;
  submit: (namespace: string, command: Command) => Promise<CommandResult>;
}

/** A judge or a probe may change the same memory now and then, not this often. */
const MAX_TRIES = 10;

export class Circuits {
  readonly #options: CircuitsOptions;

  constructor(options: CircuitsOptions) {
    this.#options = options;
  }

  /** Opens an agent's circuit until it is reset. NOT_FOUND, UNAVAILABLE. */
  async trip({ namespace, name, reason }: TripInput): Promise<Agent> {
    const { clock, queries } = this.#options;
    await this.#apply(namespace, name, { kind: 'trip', reason: reason ?? null, at: clock.epochMs() });
    return queries.get({ namespace, name });
  }

  /** Closes an agent's circuit, and sets its failures to zero. NOT_FOUND, UNAVAILABLE. */
  async reset({ namespace, name }: ResetInput): Promise<Agent> {
    const { clock, queries } = this.#options;
    await this.#apply(namespace, name, { kind: 'reset', at: clock.epochMs() });
    return queries.get({ namespace, name });
  }

  async #apply(namespace: string, name: string, event: CircuitEvent): Promise<void> {
    const { db, settings, submit } = this.#options;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const row = await readLiveness(db, namespace, name);
      if (row === null) throw new SwarmError('NOT_FOUND', `there is no agent "${name}"`);
      const { id: agentId, incarnation, liveness: before } = row;
      const { badTrial: _, ...memory } = memoryOf(before, row);
      const after = { ...memory, circuit: advance(memory.circuit, event, settings) };
      const done = await writeMemories(db, [{ namespace, name, agentId, before, after }]);
      if (!done.has(0)) continue;
      const set = shownCircuit(after.circuit);
      await submit(namespace, { kind: 'status', name, agentId, incarnation, set, seen: false });
      return;
    }
    throw unavailable(`the circuit of agent "${name}" is being changed by too many concurrent calls`);
  }
}
