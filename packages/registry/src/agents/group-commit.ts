// Concurrent commands become one commit: read together, decided one after the other, written in one round trip.
import type { Agent, ChangeType } from '@hypercode/contracts';
import { SwarmError } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Change } from '../changes/change.ts';
import { classify } from '../database/failure.ts';
import type { Schema } from '../database/schema.ts';
import { unavailable } from '../refusal.ts';
import { facetsOf, searchTextOf, wordsOf } from './agent-filter.ts';
import { orderedAgent, toAgent } from './agent-row.ts';
import { type Command, decide } from './decide.ts';
import { type Committed, commitWrites, type IssuedToken, type Write } from './queries/commit-writes.ts';
import { type Found, readAgents } from './queries/read-agents.ts';

export interface CommandResult {
  agent: Agent;
  /** What the command did; null: nothing had to change. */
  change: ChangeType | null;
}

interface Pending {
  command: Command;
  /** Added to the agent's tokens together with the command. */
  token: IssuedToken | null;
  /** How often it met another revision than the one it was decided on. */
  conflicts: number;
  /** Committed by itself, after a group that it was in was refused for its data. */
  alone: boolean;
  settle: (result: CommandResult) => void;
  fail: (error: unknown) => void;
}

export interface GroupCommitOptions {
  db: Kysely<Schema>;
  /** Told of every group of changes once it is committed, in the order of revisions. */
  onCommitted: (namespace: string, changes: Change[]) => void;
}

/** Most commands in one commit: beyond it a larger group gains nothing and holds the counter longer. */
const MAX_GROUP = 256;
/** Most commands waiting in one namespace; more are refused at once. */
const MAX_PENDING = 20_000;
/** Another replica wins a race for the same agent now and then, not this often. */
const MAX_CONFLICTS = 20;

/**
 * One group of a namespace is under way at a time, and what arrives meanwhile makes the next group. Within a group,
 * commands for one name are decided in their order, each on what the one before it left; a second change of the same
 * name waits for the next group, so a group holds at most one change a name.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #lanes = new Map<string, Pending[]>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: GroupCommitOptions) {
    this.#options = options;
  }

  /**
   * Decides and commits `command`. Fails with the refusal of the decision, UNAVAILABLE when the store does not answer
   * (whether it committed is unknown), or RATE_LIMITED when too much is waiting.
   */
  submit(namespace: string, command: Command, token: IssuedToken | null): Promise<CommandResult> {
    return new Promise((settle, fail) => {
      const pending: Pending = { command, token, conflicts: 0, alone: false, settle, fail };
      const lane = this.#lanes.get(namespace);
      if (lane === undefined) this.#start(namespace, [pending]);
      else if (lane.length < MAX_PENDING) lane.push(pending);
      else fail(new SwarmError('RATE_LIMITED', 'too many writes are waiting', { retryAfterMs: 1000 }));
    });
  }

  /** Waits until everything that was submitted has been settled. */
  async close(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #start(namespace: string, lane: Pending[]): void {
    this.#lanes.set(namespace, lane);
    const run = this.#drain(namespace, lane).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  async #drain(namespace: string, lane: Pending[]): Promise<void> {
    // What arrives in the same turn of the event loop belongs into the same group.
    await new Promise((resolve) => setImmediate(resolve));
    while (lane.length > 0) {
      const group = takeGroup(lane);
      const again = await this.#commit(namespace, group);
      lane.unshift(...again);
    }
    this.#lanes.delete(namespace);
  }

  /** Returns the commands that have to be decided again. */
  async #commit(namespace: string, group: Pending[]): Promise<Pending[]> {
    try {
      const { db } = this.#options;
      const folded = fold(group, await readAgents(db, namespace, wantedBy(group)));
      if (folded.writes.length === 0) return folded.deferred;
      const committed = await commitWrites(
        db,
        namespace,
        folded.writes.map(({ write }) => write),
      );
      return [...this.#settle(namespace, folded, committed), ...folded.deferred];
    } catch (error) {
      if (classify(error) !== 'data' || group.length === 1) {
        for (const { fail } of group) fail(meaningOf(error));
        return [];
      }
      return group.map((pending) => ({ ...pending, alone: true }));
    }
  }

  #settle(namespace: string, { writes }: Folded, committed: Committed[]): Pending[] {
    const byOrd = new Map(committed.map((row) => [row.ord, row]));
    const changes: Change[] = [];
    const again: Pending[] = [];
    for (const [ord, folded] of writes.entries()) {
      const row = byOrd.get(ord);
      if (row === undefined) {
        again.push(...conflicted(folded.takers.map(({ pending }) => pending)));
        continue;
      }
      const { write, before, takers } = folded;
      const agent = row.revision === null ? write.agent : stamp(write, row.revision, row.at);
      if (row.revision !== null && write.change !== null) {
        const at = row.at.toISOString();
        changes.push({ position: row.revision, change: write.change, before, after: agent, at });
      }
      for (const { pending, change } of takers) pending.settle({ agent, change });
    }
    if (changes.length > 0) {
      this.#options.onCommitted(
        namespace,
        changes.toSorted((a, b) => a.position - b.position),
      );
    }
    return again;
  }
}

function takeGroup(lane: Pending[]): Pending[] {
  if (lane[0]?.alone === true) return lane.splice(0, 1);
  const alone = lane.findIndex((pending) => pending.alone);
  return lane.splice(0, Math.min(MAX_GROUP, alone === -1 ? lane.length : alone));
}

const nameOf = (command: Command): string =>
  command.kind === 'register' ? command.registration.name : command.name;
const incarnationOf = (command: Command): string | null =>
  command.kind === 'register' ? (command.registration.incarnation ?? null) : null;
const wantedKey = (name: string, incarnation: string | null): string => `${name} ${incarnation ?? ''}`;

function wantedBy(group: Pending[]) {
  const wanted = new Map<string, { name: string; incarnation: string | null }>();
  for (const { command } of group) {
    const name = nameOf(command);
    const incarnation = incarnationOf(command);
    wanted.set(wantedKey(name, incarnation), { name, incarnation });
  }
  return [...wanted.values()];
}

interface FoldedWrite {
  write: Write;
  before: Agent | null;
  /** The commands that this write answers. */
  takers: { pending: Pending; change: ChangeType | null }[];
}

interface Folded {
  writes: FoldedWrite[];
  /** Commands that come after a change of their agent in this group. */
  deferred: Pending[];
}

/** Decides a group. What needs no commit is settled here. */
function fold(group: Pending[], found: Found[]): Folded {
  const rows = new Map(found.map((row) => [row.name, row.row === null ? null : toAgent(row.row)]));
  const superseded = new Set(
    found.filter((row) => row.superseded).map((row) => wantedKey(row.name, row.incarnation)),
  );
  const writes = new Map<string, FoldedWrite>();
  const deferred: Pending[] = [];
  for (const pending of group) {
    const { command, token } = pending;
    const name = nameOf(command);
    const before = rows.get(name) ?? null;
    const earlier = writes.get(name);
    const isSuperseded = superseded.has(wantedKey(name, incarnationOf(command)));
    const known = command.kind === 'register' ? { ...command, superseded: isSuperseded } : command;
    if (earlier?.write.change === 'deregistered') {
      deferred.push(pending);
      continue;
    }
    const decision = decide(earlier?.write.agent ?? before, known);
    if (decision.outcome === 'refused') {
      // A refusal may rest on a change that is not committed yet; then it waits until that is certain.
      if (earlier === undefined) pending.fail(decision.error);
      else deferred.push(pending);
      continue;
    }
    const change = decision.outcome === 'change' ? decision.change : null;
    if (earlier !== undefined) {
      if (change !== null && earlier.write.change !== null) {
        deferred.push(pending);
        continue;
      }
    } else if (change === null && token === null) {
      pending.settle({ agent: decision.agent, change });
      continue;
    }
    const folded = earlier ?? { write: tokensOnly(name, decision.agent, before), before, takers: [] };
    if (decision.outcome === 'change') {
      folded.write = { ...changeOf(name, decision, before), tokens: folded.write.tokens };
    }
    if (token !== null) folded.write.tokens.push(token);
    folded.takers.push({ pending, change });
    writes.set(name, folded);
  }
  return { writes: [...writes.values()], deferred };
}

const tokensOnly = (name: string, agent: Agent, before: Agent | null): Write => ({
  name,
  expected: before?.revision ?? null,
  change: null,
  agent,
  spec: false,
  facets: [],
  words: [],
  tokens: [],
});

const changeOf = (
  name: string,
  { change, agent, specChanged }: { change: ChangeType; agent: Agent; specChanged: boolean },
  before: Agent | null,
): Write => ({
  name,
  expected: before?.revision ?? null,
  change,
  agent,
  spec: specChanged,
  facets: facetsOf(agent),
  words: wordsOf(searchTextOf(agent)),
  tokens: [],
});

/** The agent as the commit has stored it. */
function stamp({ agent, change, spec }: Write, revision: number, committedAt: Date): Agent {
  const at = committedAt.toISOString();
  return orderedAgent({
    ...agent,
    revision,
    updatedAt: at,
    specRevision: spec ? revision : agent.specRevision,
    registeredAt: change === 'registered' ? at : agent.registeredAt,
  });
}

function conflicted(group: Pending[]): Pending[] {
  const again: Pending[] = [];
  for (const pending of group) {
    const conflicts = pending.conflicts + 1;
    if (conflicts < MAX_CONFLICTS) again.push({ ...pending, conflicts });
    else pending.fail(unavailable(`agent "${nameOf(pending.command)}" is being changed by too many others`));
  }
  return again;
}

function meaningOf(error: unknown): unknown {
  if (classify(error) !== 'data') return error;
  return new SwarmError('INVALID_INPUT', 'invalid input: the store cannot hold it', { cause: error });
}
