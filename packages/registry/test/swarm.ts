// The fixture of the registry's suites: replicas on one store, and namespaces of their own.
import { systemClock } from '@hypercode/clock';
import { HeldClock } from '@hypercode/clock/testing';
import { randomUUID } from 'node:crypto';
import {
  type Agent,
  type AgentFilter,
  AgentRegistration,
  type AgentRegistrationInput,
  type AgentUpdate,
  type HistoryResult,
  LIMITS,
  type QueryInput,
  type QueryResult,
  type RegisterResult,
} from '@hypercode/contracts';
import { type Database, migrate, refusalOf } from '@hypercode/stores';
import { createLocalSignal, type Signal } from '@hypercode/feed';
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import { registrySchema } from '../src/database-schema.ts';
import { createRegistry, type Registry, type RegistryOptions } from '../src/create-registry.ts';
import { AgentMirror, type MirroredStatus } from '../src/tokens/agent-mirror.ts';
import type { AgentPrincipal, Principal } from '../src/tokens/principal.ts';
import { Watcher, type WatcherOptions } from './watch/watcher.ts';

/** The one database of a test file, whatever it is. */
export interface Store {
  /** Opens it for one more replica. */
  connect(): Promise<{ database: Database; close: () => Promise<void> }>;
  /** A signal that reaches the other replicas. */
  signal(): Signal;
  close(): Promise<void>;
  /** Remembers what keeps the process alive now; `check` fails when there is more. */
  trackLeaks(): { check(settleMs?: number): Promise<void> };
}

export const ADMIN: Principal = { kind: 'admin', id: 'admin', name: 'admin' };

/** Holds for as long as the condition is not met, and fails with its last error. */
export const until = <T>(condition: () => T | Promise<T>, timeout = 10_000): Promise<T> =>
  vi.waitFor(condition, { timeout, interval: 10 });

/** The code that a call is refused with. */
export async function codeOf(call: Promise<unknown>): Promise<string> {
  const settled = await call.then(
    () => null,
    (error: unknown) => refusalOf(error),
  );
  return settled === null ? 'no refusal' : settled.code;
}

/** A clock that stands still until the test moves it, at the time that the database has now. */
export function heldClock(): HeldClock {
  const clock = new HeldClock();
  clock.jump(systemClock.epochMs() - clock.epochMs());
  return clock;
}

export interface ReplicaOptions extends Partial<Omit<RegistryOptions, 'database' | 'signal' | 'mirror'>> {
  /** Cut off from the wake-ups of the other replicas: only its own polls are left. Default false. */
  deaf?: boolean;
}

/** One registry on the store, with what belongs to it. */
export interface Replica {
  registry: Registry;
  mirror: AgentMirror;
  database: Database;
  /** Errors of its background tasks. */
  errors: unknown[];
  /** Ends what the registry runs on. */
  disconnect: () => Promise<void>;
  /** Closes the registry, and disconnects. */
  close: () => Promise<void>;
}

/** Starts replicas for the tests of one suite, and closes them after each test. */
export class Replicas {
  readonly #open: () => Promise<Store>;
  readonly #started: { close: () => Promise<void> }[] = [];
  #store: Store | undefined;

  constructor(open: () => Promise<Store>) {
    this.#open = open;
    beforeAll(async () => {
      this.#store = await this.#open();
      const { database, close } = await this.#store.connect();
      await migrate(database.kysely, [registrySchema]);
      await close();
    }, 60_000);
    afterEach(async () => {
      for (const { close } of this.#started.splice(0).toReversed()) await close();
    });
    afterAll(() => this.#store?.close());
  }

  get store(): Store {
    if (this.#store === undefined) throw new Error('the store opens before the first test');
    return this.#store;
  }

  async start({ deaf = false, ...options }: ReplicaOptions = {}): Promise<Replica> {
    const { database, close } = await this.store.connect();
    const signal = deaf ? createLocalSignal() : this.store.signal();
    const errors: unknown[] = [];
    const mirror = new AgentMirror();
    const registry = createRegistry({
      database,
      signal,
      clock: systemClock,
      mirror,
      notices: {},
      staticTokens: [],
      tokenNameRestMs: 0,
      leaseMs: 60_000,
      retention: { maxChanges: 100_000, maxAgeMs: 86_400_000 },
      onError: (error) => errors.push(error),
      ...options,
    });
    let disconnecting: Promise<void> | undefined;
    const disconnect = () => (disconnecting ??= signal.close().then(close));
    const replica = { registry, mirror, database, errors, disconnect, close: () => registry.close().then(disconnect) };
    this.#started.push(replica);
    return replica;
  }

  /** A new namespace, through a new replica. */
  async swarm(options?: ReplicaOptions): Promise<Swarm> {
    return new Swarm(await this.start(options), `swarm-${randomUUID()}`, this.#started);
  }
}

/** One namespace through one replica. */
export class Swarm {
  readonly replica: Replica;
  readonly registry: Registry;
  readonly namespace: string;
  readonly #started: { close: () => Promise<void> }[];

  constructor(replica: Replica, namespace: string, started: { close: () => Promise<void> }[]) {
    this.replica = replica;
    this.registry = replica.registry;
    this.namespace = namespace;
    this.#started = started;
  }

  /** The same namespace through another replica. */
  on(replica: Replica): Swarm {
    return new Swarm(replica, this.namespace, this.#started);
  }

  registration(name: string, fields: Partial<AgentRegistrationInput> = {}): AgentRegistration {
    return AgentRegistration.parse({ namespace: this.namespace, name, role: 'worker', version: '1.0.0', ...fields });
  }

  register(name: string, fields: Partial<AgentRegistrationInput> = {}, by = ADMIN): Promise<RegisterResult> {
    return this.registry.registrations.register(this.registration(name, fields), by);
  }

  /** Registers the agent and gives its token. */
  async join(name: string, fields: Partial<AgentRegistrationInput> = {}): Promise<string> {
    const { token } = await this.register(name, fields);
    if (token === undefined) throw new Error('a registration answers with a token');
    return token;
  }

  update(name: string, set: AgentUpdate, ifRevision?: number): Promise<Agent> {
    return this.registry.registrations.update({ namespace: this.namespace, name, set, ifRevision });
  }

  deregister(name: string, reason?: string): Promise<Agent> {
    return this.registry.registrations.deregister({ namespace: this.namespace, name, reason });
  }

  /** As an agent reads it; with `details`, as an operator does. */
  get(name: string, details = false): Promise<Agent> {
    return this.registry.queries.get({ namespace: this.namespace, name }, { details });
  }

  query(input: Partial<Omit<QueryInput, 'namespace'>> = {}): Promise<QueryResult> {
    const defaults = { namespace: this.namespace, view: 'full', limit: 50 } as const;
    return this.registry.queries.query({ ...defaults, ...input }, { details: false });
  }

  /** The names on all pages. */
  async names(filter: AgentFilter & { text?: string } = {}): Promise<string[]> {
    return (await this.all(filter)).map(({ name }) => name);
  }

  /** The agents on all pages. */
  async all(filter: AgentFilter & { text?: string } = {}): Promise<Agent[]> {
    const agents: Agent[] = [];
    let cursor: string | undefined;
    do {
      const page = await this.query({ ...filter, limit: LIMITS.pageSize, ...(cursor === undefined ? {} : { cursor }) });
      agents.push(...page.agents);
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    return agents;
  }

  history(name: string, page: { limit?: number; cursor?: string } = {}): Promise<HistoryResult> {
    return this.registry.queries.history({ namespace: this.namespace, name, limit: 50, ...page });
  }

  async revision(): Promise<number> {
    return (await this.query({ limit: 1 })).revision;
  }

  watch(options: WatcherOptions = {}): Watcher {
    const watcher = new Watcher(this.registry, this.namespace, options);
    this.#started.push({ close: () => watcher.stop() });
    return watcher;
  }

  /** All changes in the log after `cursor`, as a watcher receives them that resumes there. */
  async changesSince(cursor: number) {
    const head = await this.revision();
    const watcher = this.watch({ cursor });
    await watcher.until(({ position }) => position >= head);
    await watcher.stop();
    return watcher.changes;
  }

  async recognise(token: string): Promise<Principal> {
    return (await this.registry.identities.recognise(token)).principal;
  }

  /** The agent that a token stands for, as a heartbeat needs it. */
  async agent(token: string): Promise<AgentPrincipal> {
    const principal = await this.recognise(token);
    if (principal.kind !== 'agent') throw new Error(`an agent's token is taken for one of kind ${principal.kind}`);
    return principal;
  }

  /** The status of a token's agent, as this replica has it in memory. */
  async mirrored(token: string): Promise<MirroredStatus | null> {
    const { agentId } = await this.agent(token);
    return this.replica.mirror.statusOf(agentId);
  }
}
