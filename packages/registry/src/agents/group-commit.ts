// Concurrent commands become one commit: read together, decided one after the other, written in one round trip.
import type { Clock } from '@hypercode/clock';
import { type Agent, type ChangeType, invalidField } from '@hypercode/contracts';
import { BatchLanes, type FailureScope, type Job } from '@hypercode/feed';
import { classify, unavailable } from '@hypercode/stores';
import type { Kysely } from 'kysely';
import type { Change } from '../changes/change.ts';
import type { Schema } from '../schema.ts';
import { facetsOf, searchTextOf, wordsOf } from './agent-filter.ts';
import {
  type AgentDocument,
  documentOf,
  justRegistered,
  orderedDocument,
  publishedAgent,
} from '../documents/agent-row.ts';
import { isLapsed } from '../documents/lease-times.ts';
import { type Trip, trippedMemory } from '../documents/trip.ts';
import { type Command, decide } from './decide.ts';
import { type Committed, commitWrites, type IssuedToken, type Write } from './queries/commit-writes.ts';
import { type Found, readAgents } from './queries/read-agents.ts';

export interface CommandResult {
  agent: Agent;
  /** What the command did; null: nothing had to change. */
  change: ChangeType | null;
}

interface Submitted {
  readonly command: Command;
  /** Added to the agent's tokens together with the command. */
  readonly token: IssuedToken | null;
  /** How often the command met another revision than the one that it was decided on. */
  conflicts: number;
}

type Pending = Job<Submitted, CommandResult>;

export interface GroupCommitOptions {
  db: Kysely<Schema>;
  /** Called with the changes of every group once it is committed, in the order of revisions. */
  onCommitted: (namespace: string, changes: Change[]) => void;
  /** Called with what each group came to, after it was committed. */
  onGroup: (group: CommittedGroup) => void;
  clock: Pick<Clock, 'monotonicMs'>;
  /** The lease of agents that asked for none, in milliseconds. */
  leaseMs: number;
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
/** A second group begins with at least so many commands; fewer wait for the first to end, and for company. */
const MIN_OVERLAPPING = 16;
/** Most commands waiting in one namespace; more are refused at once. */
const MAX_PENDING = 20_000;
/** Another replica wins a race for the same agent now and then, not this often. */
const MAX_CONFLICTS = 20;

/**
 * A lane for each namespace: while one group is committed, the next is read and decided, never with the same name. Within a
 * group, commands for one name are decided in their order, each on what the one before it left. What would change an agent
 * for the second time waits for the next group, and so does everything after it for the same name.
 */
export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #lanes: BatchLanes<Submitted, CommandResult>;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    this.#lanes = new BatchLanes({
      write: (namespace, group) => this.#commit(namespace, group),
      weigh: () => ({ count: 1, length: 0 }),
      keyOf: ({ command }) => nameOf(command),
      maxBatch: { count: MAX_GROUP, length: 0 },
      maxWaiting: { count: MAX_PENDING, length: 0 },
      minOverlapping: MIN_OVERLAPPING,
      scopeOf,
      meaningOf,
    });
  }

  /**
   * Decides and commits `command`. Fails with the refusal of the decision, UNAVAILABLE when the store does not answer
   * (whether it committed is unknown), or RATE_LIMITED when too much is waiting.
   */
  submit(namespace: string, command: Command, token: IssuedToken | null): Promise<CommandResult> {
    return this.#lanes.submit(namespace, { command, token, conflicts: 0 });
  }

  /** Waits until everything that was submitted has been settled. */
  close(): Promise<void> {
    return this.#lanes.idle();
  }

  /** Returns the commands that have to be decided again. */
  async #commit(namespace: string, group: readonly Pending[]): Promise<readonly Pending[]> {
    const { db, onGroup, clock, leaseMs } = this.#options;
    const startedAt = clock.monotonicMs();
    const { writes, deferred } = fold(group, await readAgents(db, namespace, wantedBy(group)), leaseMs);
    if (writes.length === 0) return deferred;
    const committed = await commitWrites(
      db,
      namespace,
      writes.map(({ write }) => write),
    );
    const again = this.#settle(namespace, writes, committed);
    const changes = committed.filter(({ revision }) => revision !== null).length;
    onGroup({ commands: group.length, changes, ms: clock.monotonicMs() - startedAt });
    return [...again, ...deferred];
  }

  #settle(namespace: string, writes: readonly FoldedWrite[], committed: readonly Committed[]): Pending[] {
    const { leaseMs } = this.#options;
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
      const document = row.revision === null ? write.agent : stamp(folded, row.revision, row.at);
      const agent = publishedAgent(document, leaseMs);
      if (row.revision !== null && write.change !== null) {
        const at = row.at.toISOString();
        const was = before === null ? null : publishedAgent(before, leaseMs);
        changes.push({ position: row.revision, change: write.change, before: was, after: agent, at });
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

const nameOf = (command: Command): string => (command.kind === 'register' ? command.registration.name : command.name);
const incarnationOf = (command: Command): string | null =>
  command.kind === 'register' ? (command.registration.incarnation ?? null) : null;
const wantedKey = (name: string, incarnation: string | null): string => `${name} ${incarnation ?? ''}`;

function wantedBy(group: readonly Pending[]) {
  const wanted = new Map<string, { name: string; incarnation: string | null }>();
  for (const { item } of group) {
    const { command } = item;
    const name = nameOf(command);
    const incarnation = incarnationOf(command);
    wanted.set(wantedKey(name, incarnation), { name, incarnation });
  }
  return [...wanted.values()];
}

interface FoldedWrite {
  write: Write;
  before: AgentDocument | null;
  /** The commands that this write answers. */
  takers: { pending: Pending; change: ChangeType | null }[];
}

interface Folded {
  writes: FoldedWrite[];
  /** Commands that have to be decided again once the writes are committed. */
  deferred: Pending[];
}

/** Decides a group. What needs no commit is settled here. */
function fold(group: readonly Pending[], found: Found[], leaseMs: number): Folded {
  const rows = new Map(found.map((row) => [row.name, row.row === null ? null : documentOf(row.row)]));
  const facts = new Map(
    found.map((row) => [
      wantedKey(row.name, row.incarnation),
      { superseded: row.superseded, lapsed: isLapsed(row, row.row?.doc.leaseMs ?? leaseMs, leaseMs), owner: row.owner },
    ]),
  );
  const trips = new Map(found.map(({ name, trip }) => [name, trip]));
  const writes = new Map<string, FoldedWrite>();
  const deferred: Pending[] = [];
  const deferredNames = new Set<string>();
  for (const pending of group) {
    const { command, token } = pending.item;
    const name = nameOf(command);
    const before = rows.get(name) ?? null;
    const earlier = writes.get(name);
    const known = knowing(command, facts, earlier);
    const trip = trips.get(name) ?? null;
    const decision = decide(earlier?.write.agent ?? before, known, trip);
    if (earlier === undefined) {
      if (decision.outcome === 'refused') {
        pending.fail(decision.error);
        continue;
      }
      if (decision.outcome === 'replace') {
        const { agent } = decision;
        const change = { change: 'deregistered', agent, specChanged: false } as const;
        const write = { ...changeOf(command, change, { before, trip }), ...UNOWNED };
        writes.set(name, { write, before, takers: [] });
        deferred.push(pending);
        deferredNames.add(name);
        continue;
      }
      const { agent } = decision;
      const change = decision.outcome === 'change' ? decision.change : null;
      if (change === null && token === null) {
        pending.settle({ agent: publishedAgent(agent, leaseMs), change });
        continue;
      }
      const write =
        decision.outcome === 'change' ? changeOf(known, decision, { before, trip }) : tokensOnly(known, agent, before);
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
  }
  return { writes: [...writes.values()], deferred };
}

/** What the store knows of the name and the process that a registration is about. */
type Facts = Pick<Extract<Command, { kind: 'register' }>, 'superseded' | 'lapsed' | 'owner'>;

function knowing(command: Command, facts: ReadonlyMap<string, Facts>, earlier: FoldedWrite | undefined): Command {
  if (command.kind !== 'register') return command;
  const known = { ...command, ...facts.get(wantedKey(nameOf(command), incarnationOf(command))) };
  return { ...known, owner: known.owner ?? earlier?.write.registeredBy ?? null };
}

/** Whose registration a write is. */
const ownershipOf = (command: Command): Pick<Write, 'registeredBy' | 'ownOnly' | 'claims'> =>
  command.kind === 'register'
    ? { registeredBy: command.registeredBy, ownOnly: command.ownNamesOnly, claims: command.owner === null }
    : UNOWNED;

/** Of a write that registers nothing. */
const UNOWNED = { registeredBy: null, ownOnly: false, claims: false } as const;

const tokensOnly = (command: Command, agent: AgentDocument, before: AgentDocument | null): Write => ({
  ...ownershipOf(command),
  name: nameOf(command),
  expected: before?.revision ?? null,
  change: null,
  agent,
  spec: false,
  seen: false,
  tripped: false,
  memory: null,
  facets: [],
  words: [],
  tokens: [],
});

const changeOf = (
  command: Command,
  { change, agent, specChanged }: { change: ChangeType; agent: AgentDocument; specChanged: boolean },
  { before, trip }: { before: AgentDocument | null; trip: Trip | null },
): Write => ({
  ...ownershipOf(command),
  name: nameOf(command),
  expected: before?.revision ?? null,
  tripped: trip !== null,
  // A process that begins: the one before is remembered as tripped already.
  memory: trip !== null && agent.incarnation !== before?.incarnation ? trippedMemory(agent, trip) : null,
  change,
  agent,
  spec: specChanged,
  seen: command.kind === 'register' || (command.kind === 'status' && command.seen),
  facets: facetsOf(agent),
  words: wordsOf(searchTextOf(agent)),
  tokens: [],
});

/** The agent as the commit has stored it. */
function stamp({ write, before }: FoldedWrite, revision: number, committedAt: Date): AgentDocument {
  const { agent, change, spec } = write;
  const at = committedAt.toISOString();
  const isNewActivity = before?.incarnation !== agent.incarnation || before.status.activity !== agent.status.activity;
  const status = { ...agent.status, activitySince: isNewActivity ? at : before.status.activitySince };
  const specRevision = spec ? revision : agent.specRevision;
  const stamped = { ...agent, status, revision, updatedAt: at, specRevision };
  if (change !== 'registered') return orderedDocument(stamped);
  return orderedDocument(justRegistered({ ...stamped, registeredAt: at }, at));
}

/** Those that are decided again; the others fail. */
function conflicted(group: readonly Pending[]): Pending[] {
  return group.filter((pending) => {
    const { item } = pending;
    item.conflicts += 1;
    if (item.conflicts < MAX_CONFLICTS) return true;
    pending.fail(unavailable(`agent "${nameOf(item.command)}" is being changed by too many concurrent calls`));
    return false;
  });
}

/** SQLSTATE class 40, a deadlock or a failed serialization: the store refused one transaction, and serves the next. */
const REFUSED_TRANSACTION = /^40/;

function scopeOf(error: unknown): FailureScope {
  const kind = classify(error);
  if (kind === 'data') return 'item';
  return kind === 'unavailable' && !REFUSED_TRANSACTION.test(sqlStateOf(error)) ? 'lane' : 'batch';
}

/** SQLSTATE classes 22 and 54: a value that the store cannot hold. A broken constraint would be our own mistake. */
const UNSTORABLE = /^(?:22|54)/;

function meaningOf(error: unknown): unknown {
  if (!UNSTORABLE.test(sqlStateOf(error))) return error;
  return invalidField('', 'the database cannot store it', { cause: error });
}

/** Empty for what is no error of the database. */
const sqlStateOf = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
