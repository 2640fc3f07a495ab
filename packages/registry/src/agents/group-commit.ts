// Concurrent commands become one commit: read together, decided one after the other, written in one round trip.
import type { Agent, ChangeType } from '@hypercode/contracts';
import { SwarmError } from '@hypercode/contracts';
import { classify, unavailable } from '@hypercode/stores';
import type { Kysely } from 'kysely';
import type { Change } from '../changes/change.ts';
import type { Schema } from '../schema.ts';
import { facetsOf, searchTextOf, wordsOf } from './agent-filter.ts';
import { justRegistered, orderedAgent, toAgent } from './agent-row.ts';
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
  /** Told what each group came to, after it was committed. */
  onGroup: (group: CommittedGroup) => void;
  /** Monotonic milliseconds. */
  monotonicNow: () => number;
}

/** What one group came to. */
export interface CommittedGroup {
  /** Commands that were decided together. */
  commands: number;
  /** Changes that they led to. */
  changes: number;
  /** From reading the agents to the commit, in milliseconds. */
  ms: number;
}

/** Most commands in one commit: beyond it a larger group gains nothing and holds the counter longer. */
const MAX_GROUP = 256;
/** Groups of a namespace under way at a time: while one is committed, the next is read and decided. */
const MAX_GROUPS = 2;
/** A second group begins with at least so many commands; fewer wait for the first to end, and for company. */
const MIN_OVERLAPPING = 16;
/** Most commands waiting in one namespace; more are refused at once. */
const MAX_PENDING = 20_000;
/** Another replica wins a race for the same agent now and then, not this often. */
const MAX_CONFLICTS = 20;

/** The commands of one namespace. */
interface Lane {
  waiting: Pending[];
  /** Names with a command under way; further commands for them wait. */
  readonly busy: Set<string>;
  groups: number;
}

/**
 * At most two groups of a namespace are under way at a time, never with the same name, and what arrives meanwhile makes
 * the next group. Within a group, commands for one name are decided in their order, each on what the one before it left. What would change an agent for
 * the second time waits for the next group, and so does everything behind it for the same name.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #lanes = new Map<string, Lane>();
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
      const lane = this.#lanes.get(namespace) ?? this.#open(namespace);
      if (lane.waiting.length < MAX_PENDING) {
        lane.waiting.push(pending);
        if (lane.groups > 0 && lane.waiting.length === MIN_OVERLAPPING) this.#pump(namespace, lane);
      } else fail(new SwarmError('RATE_LIMITED', 'too many writes are waiting', { retryAfterMs: 1000 }));
    });
  }

  /** Waits until everything that was submitted has been settled. */
  async close(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  #open(namespace: string): Lane {
    const lane: Lane = { waiting: [], busy: new Set(), groups: 0 };
    this.#lanes.set(namespace, lane);
    this.#run(async () => {
      // What arrives in the same turn of the event loop belongs into the same group.
      await new Promise((resolve) => setImmediate(resolve));
      this.#pump(namespace, lane);
    });
    return lane;
  }

  #pump(namespace: string, lane: Lane): void {
    while (lane.groups === 0 || (lane.groups < MAX_GROUPS && lane.waiting.length >= MIN_OVERLAPPING)) {
      const group = takeGroup(lane);
      if (group.length === 0) break;
      lane.groups += 1;
      this.#run(async () => {
        const again = await this.#commit(namespace, group);
        for (const { command } of group) lane.busy.delete(nameOf(command));
        lane.waiting.unshift(...again);
        lane.groups -= 1;
        this.#pump(namespace, lane);
      });
    }
    if (lane.groups === 0) this.#lanes.delete(namespace);
  }

  #run(work: () => Promise<void>): void {
    const run = work().finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Returns the commands that have to be decided again. */
  async #commit(namespace: string, group: Pending[]): Promise<Pending[]> {
    const { db, onGroup, monotonicNow } = this.#options;
    const startedAt = monotonicNow();
    let open = group;
    try {
      const folded = fold(group, await readAgents(db, namespace, wantedBy(group)));
      open = folded.open;
      if (folded.writes.length === 0) return folded.deferred;
      const committed = await commitWrites(
        db,
        namespace,
        folded.writes.map(({ write }) => write),
      );
      const again = this.#settle(namespace, folded, committed);
      const changes = committed.filter(({ revision }) => revision !== null).length;
      onGroup({ commands: group.length, changes, ms: monotonicNow() - startedAt });
      return [...again, ...folded.deferred];
    } catch (error) {
      if (classify(error) !== 'data' || open.length === 1) {
        for (const { fail } of open) fail(meaningOf(error));
        return [];
      }
      return open.map((pending) => ({ ...pending, alone: true }));
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

/** The next group, out of what waits: in order, without names that are busy, and alone what has to be alone. */
function takeGroup(lane: Lane): Pending[] {
  const group: Pending[] = [];
  const left: Pending[] = [];
  /** Names whose commands wait, and so everything behind them for the same name. */
  const passedOver = new Set<string>();
  for (const pending of lane.waiting) {
    const name = nameOf(pending.command);
    const full = group.length >= MAX_GROUP || group[0]?.alone === true || (pending.alone && group.length > 0);
    if (full || lane.busy.has(name) || passedOver.has(name)) {
      left.push(pending);
      passedOver.add(name);
    } else {
      group.push(pending);
    }
  }
  for (const { command } of group) lane.busy.add(nameOf(command));
  lane.waiting = left;
  return group;
}

const nameOf = (command: Command): string => (command.kind === 'register' ? command.registration.name : command.name);
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
  /** Commands that have to be decided again once the writes are committed. */
  deferred: Pending[];
  /** All commands that are not answered yet, in their order. */
  open: Pending[];
}

/** Decides a group. What needs no commit is settled here. */
function fold(group: Pending[], found: Found[]): Folded {
  const rows = new Map(found.map((row) => [row.name, row.row === null ? null : toAgent(row.row)]));
  const superseded = new Set(found.filter((row) => row.superseded).map((row) => wantedKey(row.name, row.incarnation)));
  const writes = new Map<string, FoldedWrite>();
  const deferred: Pending[] = [];
  const deferredNames = new Set<string>();
  const open: Pending[] = [];
  for (const pending of group) {
    const { command, token } = pending;
    const name = nameOf(command);
    const before = rows.get(name) ?? null;
    const earlier = writes.get(name);
    const decision = decide(earlier?.write.agent ?? before, knowing(command, superseded));
    if (earlier === undefined) {
      if (decision.outcome === 'refused') {
        pending.fail(decision.error);
        continue;
      }
      const { agent } = decision;
      const change = decision.outcome === 'change' ? decision.change : null;
      if (change === null && token === null) {
        pending.settle({ agent, change });
        continue;
      }
      const write =
        decision.outcome === 'change' ? changeOf(command, decision, before) : tokensOnly(name, agent, before);
      if (token !== null) write.tokens.push(token);
      writes.set(name, { write, before, takers: [{ pending, change }] });
    } else if (
      decision.outcome === 'unchanged' &&
      earlier.write.change !== 'deregistered' &&
      !deferredNames.has(name)
    ) {
      if (token !== null) earlier.write.tokens.push(token);
      earlier.takers.push({ pending, change: null });
    } else {
      deferred.push(pending);
      deferredNames.add(name);
    }
    open.push(pending);
  }
  return { writes: [...writes.values()], deferred, open };
}

const knowing = (command: Command, superseded: Set<string>): Command =>
  command.kind === 'register'
    ? { ...command, superseded: superseded.has(wantedKey(nameOf(command), incarnationOf(command))) }
    : command;

const tokensOnly = (name: string, agent: Agent, before: Agent | null): Write => ({
  name,
  expected: before?.revision ?? null,
  change: null,
  agent,
  spec: false,
  seen: false,
  facets: [],
  words: [],
  tokens: [],
});

const changeOf = (
  command: Command,
  { change, agent, specChanged }: { change: ChangeType; agent: Agent; specChanged: boolean },
  before: Agent | null,
): Write => ({
  name: nameOf(command),
  expected: before?.revision ?? null,
  change,
  agent,
  spec: specChanged,
  seen: command.kind === 'register' || (command.kind === 'status' && command.seen),
  facets: facetsOf(agent),
  words: wordsOf(searchTextOf(agent)),
  tokens: [],
});

/** The agent as the commit has stored it. */
function stamp({ agent, change, spec }: Write, revision: number, committedAt: Date): Agent {
  const at = committedAt.toISOString();
  const stamped = { ...agent, revision, updatedAt: at, specRevision: spec ? revision : agent.specRevision };
  if (change !== 'registered') return orderedAgent(stamped);
  return orderedAgent(justRegistered({ ...stamped, registeredAt: at }, at));
}

function conflicted(group: Pending[]): Pending[] {
  const again: Pending[] = [];
  for (const pending of group) {
    const conflicts = pending.conflicts + 1;
    if (conflicts < MAX_CONFLICTS) again.push({ ...pending, conflicts });
    else pending.fail(unavailable(`agent "${nameOf(pending.command)}" is being changed by too many concurrent calls`));
  }
  return again;
}

/** SQLSTATE classes 22 and 54: a value that the store cannot hold. A broken constraint would be our own mistake. */
const UNSTORABLE = /^(?:22|54)/;

function meaningOf(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code !== 'string' || !UNSTORABLE.test(code)) return error;
  return new SwarmError('INVALID_INPUT', 'invalid input: the database cannot store it', { cause: error });
}
