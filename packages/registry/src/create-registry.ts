// The composition of a registry: its commands and reads, and what works in the background.
import type { Clock } from '@hypercode/clock';
import type { Signal } from '@hypercode/feed';
import type { Database } from '@hypercode/stores';
import { AgentQueries } from './agents/agent-queries.ts';
import type { Command } from './agents/decide.ts';
import { type CommittedGroup, GroupCommit } from './agents/group-commit.ts';
import { Registrations } from './agents/registrations.ts';
import type { Change } from './changes/change.ts';
import { ChangeLog } from './changes/change-log.ts';
import type { ChangeRetention } from './changes/queries/compact-changes.ts';
import { Heartbeats } from './heartbeats/heartbeats.ts';
import { OpenStreams } from './heartbeats/open-streams.ts';
import { SignsOfLife } from './heartbeats/signs-of-life.ts';
import { CircuitOutbox } from './liveness/circuit-outbox.ts';
import { Circuits } from './liveness/circuits.ts';
import { Judge } from './liveness/judge.ts';
import type { GuardNotice, GuardNumbers } from './liveness/mass-failure-guard.ts';
import { ProbeRounds, type ProbeTally } from './liveness/probe-rounds.ts';
import { probeTurn } from './liveness/probe-turn.ts';
import type { CircuitChange } from './liveness/queries/claim-circuit-changes.ts';
import { type AddressRules, defaultRules } from './probes/address-rules.ts';
import { Prober } from './probes/probe.ts';
import { Retention } from './retention/retention.ts';
import type { Schema } from './schema.ts';
import type { AgentMirror } from './tokens/agent-mirror.ts';
import { Identities, type StaticToken } from './tokens/identities.ts';
import { TokenUses } from './tokens/token-uses.ts';
import { type TokenNotice, Tokens } from './tokens/tokens.ts';
import { Watches } from './watch/watches.ts';

/** What a registry makes known while it works. A notice that is not given is not made. */
export interface RegistryNotices {
  /** A group of commands was committed. */
  readonly groupCommitted?: (group: CommittedGroup) => void;
  /** This process has committed changes of a namespace's agents; in the order of revisions. */
  readonly agentsChanged?: (changes: readonly Change[]) => void;
  /** An admin created or revoked a token. */
  readonly tokenChanged?: (notice: TokenNotice) => void;
  /**
   * So many agents of a namespace failed together that no agent of it is tripped or expired; or that has ended, and then the
   * numbers are null.
   */
  readonly guard?: (namespace: string, notice: GuardNotice, numbers: GuardNumbers | null) => void;
  /**
   * A circuit's state changed, here or through a replica that did not come to make it known: at least once for each change,
   * until it resolves or ends in an error that no retry can help.
   */
  readonly circuitChanged?: (change: CircuitChange) => Promise<void>;
}

export interface RegistryOptions {
  readonly database: Database;
  readonly signal: Signal;
  readonly clock: Clock;
  /** Kept up to date by the registry, for this process to read. */
  readonly mirror: AgentMirror;
  /** Tokens of the configuration. */
  readonly staticTokens: StaticToken[];
  /** How long the name of an operator's token that has ended is not given to another, in milliseconds. */
  readonly tokenNameRestMs: number;
  /** How long a sign of life of agents that ask for no lease of their own counts, in milliseconds. */
  readonly leaseMs: number;
  /** Of the change log. */
  readonly retention: ChangeRetention;
  readonly notices: RegistryNotices;
  /** Called with failures in the background; what failed is tried again by itself. */
  readonly onError: (error: unknown) => void;
  /** How often watchers without changes get a bookmark, in milliseconds; default 15,000. */
  readonly bookmarkIntervalMs?: number;
  readonly liveness?: Partial<LivenessOptions>;
}

/** Defaults are those of core's configuration; probes reach public addresses only. */
export interface LivenessOptions {
  /** Silence after the end of its lease after which an agent is removed, in milliseconds. */
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

export interface Registry {
  readonly registrations: Registrations;
  readonly heartbeats: Heartbeats;
  readonly circuits: Circuits;
  readonly queries: AgentQueries;
  readonly watches: Watches;
  readonly tokens: Tokens;
  readonly identities: Identities;
  /** When tokens were last used, for what writes it. */
  readonly tokenUses: TokenUses;
  readonly retention: Retention;
  /** Probes that this replica has made. */
  readonly probes: Readonly<ProbeTally>;
  /** Namespaces in which the mass-failure guard is engaged, if this replica judges. */
  suspended(): string[];
  /** Namespaces whose change log this replica follows. */
  followed(): number;
  /** Finishes what was submitted, writes the last signs of life, and stops following. The database stays open. */
  close(): Promise<void>;
}

/** A registry that works until it is closed. */
export function createRegistry(options: RegistryOptions): Registry {
  const { database, signal, clock, mirror, leaseMs, notices, onError, bookmarkIntervalMs } = options;
  const db = database.kysely.$extendTables<Schema>();
  const background = { db, clock, onError };

  const changes = new ChangeLog({ ...background, signal, leaseMs });
  const tokenUses = new TokenUses(clock);
  const { staticTokens } = options;
  const identities = new Identities({
    ...background,
    changes,
    mirror,
    signal,
    leaseMs,
    staticTokens,
    uses: tokenUses,
  });
  const { circuitChanged } = notices;
  const outbox = circuitChanged === undefined ? null : new CircuitOutbox({ ...background, deliver: circuitChanged });
  const commits = new GroupCommit({
    db,
    clock,
    onCommitted(namespace, committed) {
      identities.committed(committed);
      if (committed.some(changesCircuit)) void outbox?.check();
      changes.committed(namespace, committed);
      notices.agentsChanged?.(committed);
    },
    onGroup: (group) => notices.groupCommitted?.(group),
    leaseMs,
  });
  const submit = (namespace: string, command: Command) => commits.submit(namespace, command, null);

  const { probeAllow, probeTimeoutMs, probeIntervalMs, ...limits } = { ...LIVENESS, ...options.liveness };
  const settings = {
    leaseMs,
    expireAfterMs: limits.expireAfterMs,
    threshold: limits.circuitThreshold,
    openMs: limits.circuitOpenMs,
  };
  const turn = probeTurn({ intervalMs: probeIntervalMs, timeoutMs: probeTimeoutMs });
  const signs = new SignsOfLife({ ...background, leaseMs, onWritten: (written) => heartbeats.written(written) });
  const heartbeats = new Heartbeats({ leaseMs, clock, signs, mirror, commits, onError });
  const streams = new OpenStreams({ ...background, leaseMs, streaming: () => identities.streaming() });
  const judge = new Judge({
    ...background,
    settings,
    times: { leaseMs, probeIntervalMs, probeTimeoutMs: turn.timeoutMs },
    unwrittenMs: (batchMs) => signs.unwrittenMs(batchMs),
    submit,
    storesAnswer: () => signal.linked,
    onGuard: (namespace, notice, numbers) => notices.guard?.(namespace, notice, numbers),
  });
  const rounds = new ProbeRounds({
    ...background,
    prober: new Prober({ ...turn, allow: probeAllow, clock }),
    settings,
    intervalMs: probeIntervalMs,
    onAlive: (agent, ownLeaseMs) => signs.note(agent, ownLeaseMs),
    submit,
  });

  const queries = new AgentQueries(db, leaseMs);
  const retention = new Retention({ ...background, changes: options.retention });
  const bookmarks = bookmarkIntervalMs === undefined ? {} : { bookmarkIntervalMs };
  const watches = new Watches({ db, clock, changes, leaseMs, ...bookmarks });
  return {
    registrations: new Registrations({
      db,
      clock,
      commits,
      onAlive: (agent, ownLeaseMs) => signs.note(agent, ownLeaseMs),
    }),
    heartbeats,
    circuits: new Circuits({ db, clock, settings, queries, submit }),
    queries,
    watches,
    tokens: new Tokens({
      db,
      clock,
      identities,
      reservedNames: staticTokens.flatMap(({ principal: { kind, name } }) => (kind === 'admin' ? [name] : [])),
      nameRestMs: options.tokenNameRestMs,
      onChange: (notice) => notices.tokenChanged?.(notice),
    }),
    identities,
    tokenUses,
    retention,
    probes: rounds.tally,
    suspended: () => judge.suspended,
    followed: () => changes.running.size,
    async close() {
      watches.close();
      await rounds.close();
      await judge.close();
      heartbeats.close();
      await commits.close();
      await outbox?.close();
      await signs.close();
      await streams.close();
      await retention.close();
      await identities.close();
      await changes.close();
    },
  };
}

const changesCircuit = ({ change, before, after }: Change): boolean =>
  change === 'status' && before?.status.circuit !== after.status.circuit;
