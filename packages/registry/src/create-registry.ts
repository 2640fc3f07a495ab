// The registry as its callers see it: agents, their history, their tokens, and the live watch.
import {
  type Activity,
  type Agent,
  type AgentRegistration,
  type CreateTokenInput,
  type DeregisterInput,
  type GetInput,
  type HistoryInput,
  type HistoryResult,
  type QueryInput,
  type QueryResult,
  type RegisterResult,
  type ResetInput,
  SwarmError,
  type TokenInfo,
  type TripInput,
  type UpdateInput,
} from '@hypercode/contracts';
import type { Database } from '@hypercode/stores';
import type { Signal } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { decodeCursor, encodeCursor } from './agents/cursor.ts';
import type { Command } from './agents/decide.ts';
import { type CommittedGroup, GroupCommit } from './agents/group-commit.ts';
import { toAgent } from './documents/agent-row.ts';
import { queryAgents } from './agents/queries/query-agents.ts';
import { readAgents } from './agents/queries/read-agents.ts';
import type { Change } from './changes/change.ts';
import { ChangeLog } from './changes/change-log.ts';
import { readHistory } from './changes/queries/read-history.ts';
import { type Clock, systemClock } from './clock.ts';
import { Heartbeats } from './heartbeats/heartbeats.ts';
import { Housekeeping, type HousekeepingOptions } from './retention/retention.ts';
import { brakeRoundMs } from './liveness/mass-failure-guard.ts';
import { Circuits } from './liveness/circuits.ts';
import { Judge } from './liveness/judge.ts';
import { NewsOfCircuits } from './liveness/circuit-outbox.ts';
import type { CircuitNews } from './liveness/queries/claim-circuit-changes.ts';
import { type AddressRules, defaultRules } from './probes/address-rules.ts';
import { Prober } from './probes/probe.ts';
import { ProbeRounds, type ProbeTally } from './liveness/probe-rounds.ts';
import { probeTurn } from './liveness/probe-turn.ts';
import type { Schema } from './schema.ts';
import { Identities, type StaticToken } from './tokens/identities.ts';
import type { AgentPrincipal, JoinPrincipal, Principal } from './tokens/principal.ts';
import { deleteToken, insertToken, listTokens, returnUse, takeUse } from './tokens/queries/operator-tokens.ts';
import { mintToken } from './tokens/token-format.ts';
import { Watches } from './watch/watches.ts';

export interface RegistryOptions {
  database: Database;
  signal: Signal;
  /** Tokens of the configuration. */
  staticTokens: StaticToken[];
  /** How long an agent is taken for alive after a sign of life, in milliseconds. */
  leaseMs: number;
  retention: HousekeepingOptions['retention'];
  /** Told of failures in the background; each is tried again by itself. */
  onError: (error: unknown) => void;
  clock?: Clock;
  /** How often watchers without news get a bookmark, in milliseconds; default 15,000. */
  bookmarkIntervalMs?: number;
  liveness?: Partial<LivenessOptions>;
  /** Tokens kept in memory; default 50,000. */
  maxKnownTokens?: number;
}

/** Defaults are those of core's configuration; probes reach public addresses only. */
export interface LivenessOptions {
  /** Silence after which an agent is removed, in milliseconds. */
  expireAfterMs: number;
  /** A circuit opens when consecutive failures exceed this. */
  circuitThreshold: number;
  /** How long a circuit is open the first time, in milliseconds. */
  circuitOpenMs: number;
  /** Time between two probes of a healthUrl, in milliseconds. */
  probeIntervalMs: number;
  /** How long a probe may take, in milliseconds; at most three fifths of the interval count. */
  probeTimeoutMs: number;
  /** Which addresses may be probed. */
  probeAllow: AddressRules;
}

const LIVENESS: LivenessOptions = {
  expireAfterMs: 3_600_000,
  circuitThreshold: 3,
  circuitOpenMs: 30_000,
  probeIntervalMs: 10_000,
  probeTimeoutMs: 2000,
  probeAllow: defaultRules('server'),
};

/** Hears of what goes on inside a registry. */
export interface RegistryObserver {
  onGroup(group: CommittedGroup): void;
  /** The connection for wake-ups between replicas was established. */
  onLinked(): void;
  /** Very many agents of a namespace failed together, so nobody is tripped or expired; or that is over. */
  onBrake?(namespace: string, says: 'suspended' | 'resumed'): void;
}

/** Beats change what the registry shows of an agent at most this often, in milliseconds. */
const STATUS_INTERVAL_MS = 1000;

export class Registry {
  readonly identities: Identities;
  readonly watches: Watches;
  readonly #options: RegistryOptions;
  readonly #db: Kysely<Schema>;
  readonly #clock: Clock;
  readonly #changes: ChangeLog;
  readonly #commits: GroupCommit;
  readonly #heartbeats: Heartbeats;
  readonly #housekeeping: Housekeeping;
  readonly #judge: Judge;
  readonly #probes: ProbeRounds;
  readonly #circuits: Circuits;
  #news: NewsOfCircuits | null = null;
  readonly #observers = new Set<RegistryObserver>();
  /** When an agent's activity or health was last written because of a beat. */
  readonly #writtenAt = new Map<string, number>();

  constructor(options: RegistryOptions) {
    const { database, signal, onError, leaseMs, staticTokens, retention, bookmarkIntervalMs, maxKnownTokens } = options;
    const clock = options.clock ?? systemClock;
    const db = database.kysely.$extendTables<Schema>();
    this.#db = db;
    this.#options = options;
    this.#clock = clock;
    this.#changes = new ChangeLog({ db, signal, clock, onError });
    this.#commits = new GroupCommit({
      db,
      onCommitted: (namespace, changes) => {
        this.identities.committed(changes);
        if (changes.some(isOfCircuit)) void this.#news?.look();
        this.#changes.committed(namespace, changes);
      },
      onGroup: (group) => {
        for (const observer of this.#observers) observer.onGroup(group);
      },
      monotonicNow: () => clock.monotonicNow(),
    });
    this.#heartbeats = new Heartbeats({ db, leaseMs, clock, onError });
    this.#housekeeping = new Housekeeping({ db, dialect: database.dialect, retention, clock, onError });
    const { probeAllow: allow, probeTimeoutMs, probeIntervalMs, ...limits } = { ...LIVENESS, ...options.liveness };
    const settings = {
      leaseMs,
      expireAfterMs: limits.expireAfterMs,
      threshold: limits.circuitThreshold,
      openMs: limits.circuitOpenMs,
    };
    const turn = probeTurn({ intervalMs: probeIntervalMs, timeoutMs: probeTimeoutMs });
    const submit = (namespace: string, command: Command) => this.#commits.submit(namespace, command, null);
    this.#circuits = new Circuits({ db, settings, submit });
    this.#judge = new Judge({
      db,
      settings,
      roundMs: brakeRoundMs({ leaseMs, probeIntervalMs, probeTimeoutMs: turn.timeoutMs }),
      clock,
      unwrittenMs: () => this.#heartbeats.unwrittenMs,
      submit,
      storesAnswer: () => signal.linked,
      onBrake: (namespace, says) => {
        for (const observer of this.#observers) observer.onBrake?.(namespace, says);
      },
      onError,
    });
    this.#probes = new ProbeRounds({
      db,
      prober: new Prober({ ...turn, allow }),
      settings,
      intervalMs: probeIntervalMs,
      clock,
      onAlive: (agent) => this.#heartbeats.beat(agent),
      submit,
      onError,
    });
    this.identities = new Identities({
      db,
      changes: this.#changes,
      signal,
      staticTokens,
      clock,
      onError,
      ...(maxKnownTokens === undefined ? {} : { maxKnown: maxKnownTokens }),
    });
    this.watches = new Watches({
      db,
      changes: this.#changes,
      clock,
      ...(bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs }),
    });
  }

  /**
   * Registers an agent, or registers it again, and gives it a token of its own. Idempotent on namespace and name.
   * Ends in IMMUTABLE_FIELD (`role`), FENCED, FORBIDDEN (a join token that is used up), UNAVAILABLE.
   */
  async register(registration: AgentRegistration, by: Principal): Promise<RegisterResult> {
    return by.kind === 'join' && by.limited
      ? this.#registerLimited(registration, by)
      : this.#register(registration, true);
  }

  /** Changes an agent's registration. NOT_FOUND, CONFLICT (`ifRevision`), IMMUTABLE_FIELD, UNAVAILABLE. */
  async update({ namespace, name, set, ifRevision }: UpdateInput): Promise<Agent> {
    const { agent } = await this.#commits.submit(namespace, { kind: 'update', name, set, ifRevision }, null);
    return agent;
  }

  /** Removes an agent; its tokens stop counting. NOT_FOUND, UNAVAILABLE. Returns the agent's last state. */
  async deregister({ namespace, name, reason }: DeregisterInput): Promise<Agent> {
    const { agent } = await this.#commits.submit(namespace, { kind: 'deregister', name, reason }, null);
    return agent;
  }

  /**
   * Renews the agent's lease in memory; the store hears of it with the next batch. A change of activity is written at
   * once, unless it was written within the last second; then the next beat carries it. Returns when the lease ends.
   */
  async heartbeat(agent: AgentPrincipal, activity: Activity | undefined): Promise<{ leaseExpiresAt: string }> {
    this.#heartbeats.beat(agent);
    const isNews = activity !== undefined && activity !== agent.activity;
    // Where there is a healthUrl, the probes say what the agent's health is.
    const isHealthAgain = agent.health !== 'healthy' && !agent.hasHealthUrl;
    if (isNews || isHealthAgain) {
      // Why its circuit is open is still true.
      const reason = agent.circuit === 'closed' ? { reason: null } : {};
      const health = isHealthAgain ? { health: 'healthy' as const, ...reason } : {};
      await this.#showStatus(agent, { ...(isNews ? { activity } : {}), ...health });
    }
    return { leaseExpiresAt: new Date(this.#clock.now() + this.#options.leaseMs).toISOString() };
  }

  /** Opens an agent's circuit until it is reset. NOT_FOUND, UNAVAILABLE. */
  async trip({ namespace, name, reason }: TripInput): Promise<Agent> {
    await this.#circuits.handle(namespace, name, { kind: 'trip', reason: reason ?? null, at: this.#clock.now() });
    return this.get({ namespace, name });
  }

  /** Closes an agent's circuit, and forgets its failures. NOT_FOUND, UNAVAILABLE. */
  async reset({ namespace, name }: ResetInput): Promise<Agent> {
    await this.#circuits.handle(namespace, name, { kind: 'reset', at: this.#clock.now() });
    return this.get({ namespace, name });
  }

  /** Namespaces in which so many agents failed together that nobody is tripped or expired now, if this replica judges. */
  get suspended(): string[] {
    return this.#judge.suspended;
  }

  /** Probes that this replica has made. */
  get probes(): Readonly<ProbeTally> {
    return this.#probes.tally;
  }

  /** NOT_FOUND when there is no such agent. */
  async get({ namespace, name }: GetInput): Promise<Agent> {
    const [found] = await readAgents(this.#db, namespace, [{ name, incarnation: null }]);
    if (found === undefined || found.row === null) throw notFound(name);
    return toAgent(found.row);
  }

  /** A page of agents by name. INVALID_INPUT for a cursor that is none. */
  async query(input: QueryInput): Promise<QueryResult> {
    const { namespace, text, limit, cursor, ...filter } = input;
    const after = cursor === undefined ? null : decodeCursor('query', cursor);
    // One row more than asked for tells whether there is a next page.
    const page = { filter, text, after, limit: limit + 1 };
    const { rows, revision } = await queryAgents(this.#db, namespace, page);
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    const nextCursor = rows.length > limit && last !== undefined ? encodeCursor('query', last.name) : null;
    return { agents: shown.map(toAgent), nextCursor, revision };
  }

  /**
   * An agent's changes, newest first, as far back as the change log reaches; also of one that was removed. NOT_FOUND
   * when nothing is known of the name, COMPACTED for a cursor behind the log's horizon.
   */
  async history({ namespace, name, limit, cursor }: HistoryInput): Promise<HistoryResult> {
    const before = cursor === undefined ? null : Number(decodeCursor('history', cursor));
    const { changes, horizon } = await readHistory(this.#db, namespace, name, { before, limit: limit + 1 });
    if (before !== null && before <= horizon) {
      throw new SwarmError('COMPACTED', `changes up to revision ${horizon} were removed from the history`);
    }
    if (before === null && changes.length === 0) await this.get({ namespace, name });
    const shown = changes.slice(0, limit);
    const last = shown.at(-1);
    const more = changes.length > limit && last !== undefined;
    return {
      changes: shown.map(({ position, change, after, at }) => ({ revision: position, change, agent: after, at })),
      nextCursor: more ? encodeCursor('history', String(last.position)) : null,
    };
  }

  /** Makes an operator's token. The token itself is in the answer and nowhere else. */
  async createToken(input: CreateTokenInput): Promise<{ id: string; token: string }> {
    const { namespace, kind, name, roles, expiresInMs, maxUses } = input;
    const { token, hash } = mintToken(kind);
    const id = this.#clock.newId();
    await insertToken(this.#db, {
      hash,
      id,
      kind,
      namespace,
      name,
      roles: kind === 'join' ? (roles ?? '*') : null,
      expiresInMs: expiresInMs ?? null,
      maxUses: maxUses ?? null,
    });
    return { id, token };
  }

  listTokens(namespace: string): Promise<TokenInfo[]> {
    return listTokens(this.#db, namespace);
  }

  /** Ends a token on every replica. NOT_FOUND when there is none of this id. */
  async revokeToken(namespace: string, id: string): Promise<void> {
    const revoked = await deleteToken(this.#db, namespace, id);
    if (!revoked) throw new SwarmError('NOT_FOUND', `there is no token ${id}`);
    this.identities.revoked(id);
  }

  /** Whether wake-ups reach the other replicas now; without them the change log is polled. */
  get linked(): boolean {
    return this.#options.signal.linked;
  }

  /** Tells `observer` what goes on inside, for measurement. Returns what ends it. */
  observe(observer: RegistryObserver): () => void {
    this.#observers.add(observer);
    // Nobody notifies this channel, so its listener hears of new connections alone.
    const unsubscribe = this.#options.signal.subscribe('registry-links', () => observer.onLinked());
    return () => {
      this.#observers.delete(observer);
      unsubscribe();
    };
  }

  /**
   * Has `tell` hear of every change of a circuit that is committed, here or by a replica that did not come to tell it: at least
   * once, until it resolves or ends in an error that no retry can help. Returns what ends it.
   */
  tellOfCircuits(tell: (news: CircuitNews) => Promise<void>): () => Promise<void> {
    const { onError } = this.#options;
    const news = new NewsOfCircuits({ db: this.#db, clock: this.#clock, tell, onError });
    this.#news = news;
    return () => news.close();
  }

  /** Applies the retention of the change log now, and forgets what has been remembered long enough. */
  housekeep(): Promise<void> {
    return this.#housekeeping.run();
  }

  /** Finishes what was submitted, writes the last signs of life, and stops following. The database stays open. */
  async close(): Promise<void> {
    this.watches.close();
    await this.#probes.close();
    await this.#judge.close();
    await this.#commits.close();
    await this.#heartbeats.close();
    await this.#housekeeping.close();
    await this.identities.close();
    await this.#changes.close();
  }

  async #register(registration: AgentRegistration, mayCreate: boolean): Promise<RegisterResult> {
    const minted = mintToken('agent');
    const issued = { id: this.#clock.newId(), hash: minted.hash.toString('hex') };
    const newId = this.#clock.newId();
    const command = { kind: 'register', registration, superseded: false, mayCreate, newId } as const;
    const { agent, change } = await this.#commits.submit(registration.namespace, command, issued);
    // A registration that changed something has been written as a sign of life; one that did not is noted as one.
    if (change === null) this.#heartbeats.beat({ namespace: agent.namespace, name: agent.name, agentId: agent.id });
    const outcome = change === null ? 'unchanged' : change === 'registered' ? 'created' : 'updated';
    return { agent, outcome, token: minted.token };
  }

  /**
   * Only a name that is free takes a use, first, so that a race cannot exceed the limit; it is given back unless an agent
   * came into being.
   */
  async #registerLimited(registration: AgentRegistration, by: JoinPrincipal): Promise<RegisterResult> {
    const [found] = await readAgents(this.#db, registration.namespace, [
      { name: registration.name, incarnation: null },
    ]);
    const exists = found !== undefined && found.row !== null;
    const taken = !exists && (await takeUse(this.#db, by.id));
    try {
      const result = await this.#register(registration, taken);
      if (taken && result.outcome !== 'created') await returnUse(this.#db, by.id);
      return result;
    } catch (error) {
      if (!(error instanceof SwarmError)) throw error;
      if (taken) await returnUse(this.#db, by.id);
      // The agent went while it registered again: now the name is free.
      if (exists && error.code === 'FORBIDDEN') return this.#registerLimited(registration, by);
      throw error;
    }
  }

  #mayWrite(key: string): boolean {
    const now = this.#clock.monotonicNow();
    const writtenAt = this.#writtenAt.get(key);
    if (writtenAt !== undefined && now - writtenAt < STATUS_INTERVAL_MS) return false;
    for (const [oldest, at] of this.#writtenAt) {
      if (now - at < STATUS_INTERVAL_MS) break;
      this.#writtenAt.delete(oldest);
    }
    this.#writtenAt.delete(key);
    this.#writtenAt.set(key, now);
    return true;
  }

  /** What a beat says of its agent, unless the last change was written within the last second; then the next beat says it. */
  async #showStatus(agent: AgentPrincipal, set: Partial<Pick<Agent['status'], 'activity' | 'health' | 'reason'>>) {
    // A new activity does not wait because the agent has just become healthy.
    if (!this.#mayWrite(`${agent.agentId} ${set.activity === undefined ? 'health' : 'activity'}`)) return;
    const { namespace, name, agentId, incarnation } = agent;
    await this.#commits
      .submit(namespace, { kind: 'status', name, agentId, incarnation, set, seen: true }, null)
      // The lease is renewed all the same; the next beat tries again.
      .catch(this.#options.onError);
  }
}

const isOfCircuit = ({ change, before, after }: Change): boolean =>
  change === 'status' && before?.status.circuit !== after.status.circuit;

const notFound = (name: string): SwarmError => new SwarmError('NOT_FOUND', `there is no agent "${name}"`);
