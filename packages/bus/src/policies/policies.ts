// The policies of all namespaces in use: compiled once, followed wherever they are changed.
import type { Clock } from '@hypercode/clock';
import {
  type CircuitState,
  type Policy,
  type PolicyExplanation,
  type PolicyRules,
  SwarmError,
  SYSTEM_TOPIC,
} from '@hypercode/contracts';
import { coalesce, Recheck, type Signal } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import { Access, Decisions } from './access.ts';
import { withDefaultConsume, withEveryGroup } from './consume-rules.ts';
import { DEFAULT_POLICY } from './default-policy.ts';
import type { PolicySchema } from './policy-table.ts';
import { isReserved, RESERVED_RULE } from './reserved-topics.ts';
import { readPolicies } from './queries/read-policies.ts';
import { readPolicyVersions } from './queries/read-policy-versions.ts';
import { writePolicy } from './queries/write-policy.ts';

export interface PoliciesOptions {
  db: Kysely<PolicySchema>;
  signal: Signal;
  clock: Pick<Clock, 'schedule'>;
  onError: (error: unknown) => void;
}

/** The agent that a policy is explained for. */
export interface PolicyAgent {
  readonly name: string;
  readonly role: string;
  readonly circuit: CircuitState;
}

const CHANNEL = 'bus-policies';
/** How long a change can go unnoticed on another replica when the wake-up was lost. */
const CHECK_INTERVAL_MS = 750;
/** Agents of a namespace whose access is kept compiled. A `max` would take its memory at once: half a MB for each namespace. */
const ACCESSES = { maxSize: 20_000, sizeCalculation: () => 1 };
/** Namespaces whose policy is kept. */
const MAX_NAMESPACES = 10_000;

/** A policy in force. */
interface Compiled {
  readonly policy: Policy;
  readonly accesses: LRUCache<string, Access>;
  /** Those of all policies together. */
  readonly decisions: Decisions;
}

/** When the store does not answer, the policies that are known stay in force; of others nothing is known, and calls are refused. */
export class Policies {
  readonly #options: PoliciesOptions;
  readonly #known = new LRUCache<string, Compiled>({
    max: MAX_NAMESPACES,
    // Each listener asks again, and the policy is known again.
    dispose: (_compiled, namespace, reason) => {
      if (reason === 'evict') queueMicrotask(() => this.#notify(namespace));
    },
  });
  readonly #decisions = new Decisions();
  readonly #listeners = new Map<string, Set<() => void>>();
  readonly #load: (namespace: string) => Promise<Policy | undefined>;
  readonly #unsubscribe: () => void;
  readonly #recheck: Recheck;

  constructor(options: PoliciesOptions) {
    this.#options = options;
    this.#load = coalesce((namespaces) => this.#read(namespaces));
    const { clock, onError } = options;
    const check = () => this.#readChanged();
    this.#recheck = new Recheck({ clock, intervalMs: CHECK_INTERVAL_MS, check, onError });
    this.#unsubscribe = options.signal.subscribe(CHANNEL, () => void this.#recheck.now());
  }

  /** What an agent may do. From memory, once the namespace is known; UNAVAILABLE when it is not and can not be. */
  accessOf(namespace: string, role: string, name: string): Access | Promise<Access> {
    const known = this.#known.get(namespace);
    if (known !== undefined) return compiledAccess(known, role, name);
    return this.#compiled(namespace).then((compiled) => compiledAccess(compiled, role, name));
  }

  /** The policy in force here. */
  async get(namespace: string): Promise<Policy> {
    return (await this.#compiled(namespace)).policy;
  }

  /**
   * Replaces the policy, here at once, and within a second everywhere. A role without `consume` gets its default. CONFLICT when
   * `ifVersion` is not in force.
   */
  async put(
    namespace: string,
    { roles, default: others }: PolicyRules,
    ifVersion: number | undefined,
  ): Promise<Policy> {
    const rules = withDefaultConsume({ roles, default: others });
    const version = await writePolicy(this.#options.db, namespace, { rules, ifVersion: ifVersion ?? null });
    if (version === null) {
      throw new SwarmError('CONFLICT', `version ${ifVersion} of the policy is no longer in force`);
    }
    const policy: Policy = { version, ...rules };
    this.#enforce(namespace, policy);
    this.#options.signal.notify(CHANNEL);
    return policy;
  }

  /** What the policy says of one action of an agent, and why. */
  async explain(
    namespace: string,
    agent: PolicyAgent,
    { action, topic }: { action: 'publish' | 'subscribe'; topic: string },
  ): Promise<PolicyExplanation> {
    const { name, role, circuit } = agent;
    const access = await this.accessOf(namespace, role, name);
    if (action === 'publish' && isReserved(topic)) {
      const because = `topics that begin with "${SYSTEM_TOPIC}" are reserved for the core`;
      return { allowed: false, rule: RESERVED_RULE, circuit, because };
    }
    const { allowed, rule } = access[action](topic);
    const isHalted = action === 'publish' && circuit !== 'closed';
    const verdict =
      rule === null
        ? `no ${action} rule of role "${role}" matches "${topic}"`
        : `the rule "${rule}" of role "${role}" ${allowed ? 'allows' : 'denies'} it`;
    const because = allowed && isHalted ? `${verdict}, but the agent's circuit is ${circuit}` : verdict;
    return { allowed: allowed && !isHalted, rule, circuit, because };
  }

  /** Calls `listener` whenever the namespace's policy may have changed. Returns what ends it. */
  onChange(namespace: string, listener: () => void): () => void {
    const listeners = this.#listeners.get(namespace) ?? new Set();
    this.#listeners.set(namespace, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(namespace) === listeners) this.#listeners.delete(namespace);
    };
  }

  async close(): Promise<void> {
    this.#unsubscribe();
    await this.#recheck.close();
  }

  async #compiled(namespace: string): Promise<Compiled> {
    const known = this.#known.get(namespace);
    if (known !== undefined) return known;
    const policy = (await this.#load(namespace)) ?? DEFAULT_POLICY;
    // Another call, or a change, may have come first.
    return this.#known.get(namespace) ?? this.#enforce(namespace, policy);
  }

  async #read(namespaces: string[]): Promise<Map<string, Policy>> {
    const rows = await readPolicies(this.#options.db, namespaces);
    return new Map(rows.map(({ namespace, version, rules }) => [namespace, { version, ...withEveryGroup(rules) }]));
  }

  #enforce(namespace: string, policy: Policy): Compiled {
    const compiled: Compiled = { policy, accesses: new LRUCache(ACCESSES), decisions: this.#decisions };
    this.#known.set(namespace, compiled);
    this.#notify(namespace);
    return compiled;
  }

  #notify(namespace: string): void {
    for (const listener of [...(this.#listeners.get(namespace) ?? [])]) listener();
  }

  async #readChanged(): Promise<void> {
    if (this.#known.size === 0) return;
    const known = new Map(this.#known.entries());
    const versions = await readPolicyVersions(this.#options.db, [...known.keys()]);
    const changed = [...known]
      .filter(([namespace, { policy }]) => (versions.get(namespace) ?? 0) !== policy.version)
      .map(([namespace]) => namespace);
    if (changed.length === 0) return;
    const read = await this.#read(changed);
    for (const namespace of changed) {
      // What was put here meanwhile is newer than what was read.
      if (this.#known.peek(namespace) !== known.get(namespace)) continue;
      this.#enforce(namespace, read.get(namespace) ?? DEFAULT_POLICY);
    }
  }
}

function compiledAccess({ policy, accesses, decisions }: Compiled, role: string, name: string): Access {
  const key = `${role} ${name}`;
  let access = accesses.get(key);
  if (access === undefined) {
    const rules = Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined;
    accesses.set(key, (access = new Access(role, name, rules ?? policy.default, decisions)));
  }
  return access;
}
