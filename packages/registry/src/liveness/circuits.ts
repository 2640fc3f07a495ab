// The commands of operators on circuits: trip and reset.
import type { Clock } from '@hypercode/clock';
import { type Agent, type GetInput, type ResetInput, SwarmError, type TripInput } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { AgentQueries } from '../agents/agent-queries.ts';
import type { Command } from '../agents/decide.ts';
import type { CommandResult } from '../agents/group-commit.ts';
import { orderedDocument, publishedAgent, type StoredDocument } from '../documents/agent-row.ts';
import { freshCircuit, memoryOf } from '../documents/liveness-memory.ts';
import { trippedStatus } from '../documents/trip.ts';
import type { Schema } from '../schema.ts';
import type { LivenessSettings } from './assess.ts';
import { advance, shownCircuit } from './circuit.ts';
import { deleteTrip } from './queries/delete-trip.ts';
import { readLiveness } from './queries/read-liveness.ts';
import { writeMemories } from './queries/write-memories.ts';
import { writeTrip } from './queries/write-trip.ts';

export interface CircuitsOptions {
  db: Kysely<Schema>;
  settings: LivenessSettings;
  clock: Clock;
  queries: AgentQueries;
  submit: (namespace: string, command: Command) => Promise<CommandResult>;
}

/** A judge or a probe may change the same memory now and then, not this often. */
const MAX_TRIES = 10;

/**
 * A trip belongs to the name. It is kept beside the agents (`operator_holds`), from `trip` to `reset`, and no act of an agent ends
 * it: a registration of a tripped name is committed with an open circuit. What is remembered and shown of the agent that has the
 * name follows the trip; after a crash in between, the judge's next check completes that.
 */
export class Circuits {
  readonly #options: CircuitsOptions;

  constructor(options: CircuitsOptions) {
    this.#options = options;
  }

  /**
   * Opens the circuit of a name until it is reset. NOT_FOUND for a name that is neither registered nor tripped, UNAVAILABLE. A
   * name without an agent answers with the agent that was tripped.
   */
  async trip(input: TripInput): Promise<Agent> {
    const { namespace, name } = input;
    const reason = input.reason ?? null;
    const kept = await writeTrip(this.#options.db, { namespace, name, reason });
    if (kept === null) throw noAgent(name);
    await this.#tripProcess(namespace, name, reason);
    return this.#agentOr(this.#published(kept), { namespace, name }, trippedStatus({ reason }));
  }

  /**
   * Takes back a trip, closes the circuit of the agent that has the name, and sets its failures to zero. NOT_FOUND for a name that
   * is neither registered nor tripped, UNAVAILABLE. A name without an agent answers with the agent that was tripped.
   */
  async reset({ namespace, name }: ResetInput): Promise<Agent> {
    const { db, submit } = this.#options;
    const kept = await deleteTrip(db, namespace, name);
    const row = await readLiveness(db, namespace, name);
    if (row !== null) {
      const { id: agentId, incarnation } = row;
      const set = shownCircuit(freshCircuit);
      await submit(namespace, { kind: 'status', name, agentId, incarnation, set, seen: false }).catch(unlessRemoved);
    }
    return this.#agentOr(kept === null ? null : this.#published(kept), { namespace, name }, shownCircuit(freshCircuit));
  }

  /**
   * Carries a trip over to what is remembered and shown of the agent that has the name, if one has. Where other writes of the same
   * agent come in between, the judge does the rest: the trip itself is stored.
   */
  async #tripProcess(namespace: string, name: string, reason: string | null): Promise<void> {
    const { db, settings, submit, clock } = this.#options;
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const row = await readLiveness(db, namespace, name);
      if (row === null) return;
      const { id: agentId, incarnation, liveness: before } = row;
      const { badTrial: _, ...memory } = memoryOf(before, row);
      const event = { kind: 'trip', reason, at: clock.epochMs() } as const;
      const after = { ...memory, circuit: advance(memory.circuit, event, settings) };
      const done = await writeMemories(db, [{ namespace, name, agentId, before, after }]);
      if (!done.has(0) && tries < MAX_TRIES - 1) continue;
      const set = shownCircuit(after.circuit);
      await submit(namespace, { kind: 'status', name, agentId, incarnation, set, seen: false }).catch(unlessRemoved);
      return;
    }
  }

  #published(kept: StoredDocument): Agent {
    return publishedAgent(orderedDocument(kept), this.#options.settings.leaseMs);
  }

  /** The agent that has the name now; when none has, `kept`, with this of its status. */
  async #agentOr(kept: Agent | null, key: GetInput, status: Partial<Agent['status']>): Promise<Agent> {
    try {
      return await this.#options.queries.get(key, { details: true });
    } catch (error) {
      if (kept === null) throw error;
      unlessRemoved(error);
      return { ...kept, status: { ...kept.status, ...status } };
    }
  }
}

const noAgent = (name: string) => new SwarmError('NOT_FOUND', `there is no agent "${name}"`);

/** The agent was removed in between; its trip stays, or was taken back. */
function unlessRemoved(error: unknown): void {
  if (!(error instanceof SwarmError) || error.code !== 'NOT_FOUND') throw error;
}
