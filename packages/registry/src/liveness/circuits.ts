// Circuits in an operator's hand: tripped until they are reset.
import { SwarmError } from '@hypercode/contracts';
import { unavailable } from '@hypercode/stores';
import type { Kysely } from 'kysely';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import type { Schema } from '../schema.ts';
import type { LivenessSettings } from './assess.ts';
import { advance, type CircuitEvent, shownCircuit } from './circuit.ts';
import { memoryOf } from '../documents/liveness-memory.ts';
import { readLiveness } from './queries/read-liveness.ts';
import { writeMemories } from './queries/write-memories.ts';

export interface CircuitsOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  submit: (namespace: string, command: Command) => Promise<CommandResult>;
}

/** A judge or a probe may change the same memory now and then, not this often. */
const MAX_TRIES = 10;

export class Circuits {
  readonly #options: CircuitsOptions;

  constructor(options: CircuitsOptions) {
    this.#options = options;
  }

  /** NOT_FOUND when there is no such agent. */
  async handle(
    namespace: string,
    name: string,
    event: Extract<CircuitEvent, { kind: 'trip' | 'reset' }>,
  ): Promise<void> {
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
