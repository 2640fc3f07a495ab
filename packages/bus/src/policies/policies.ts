// The policies of all namespaces in use: compiled once, followed wherever they are changed.
import type { Clock } from '@hypercode/clock';
import {
  type Capability,
  type ChangedPolicy,
  type CircuitState,
  invalidField,
  invalidInput,
  LIMITS,
  mayOffer,
  type Policy,
  type PolicyExplanation,
  type PolicyHistory,
  PolicyRules,
  rulesOf,
  SwarmError,
  SYSTEM_TOPIC,
} from '@hypercode/contracts';
import { coalesce, Recheck, type Signal } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import { Access, Decisions, offerDenied } from './access.ts';
import { withDefaultConsume, withEveryGroup } from './consume-rules.ts';
import { DEFAULT_POLICY } from './default-policy.ts';
import { Comparison, type DeclaredAgent } from './effect.ts';
import { OpenStreams } from './open-streams.ts';
import type { PolicySchema } from './policy-table.ts';
import { isReserved, RESERVED_RULE } from './reserved-topics.ts';
import { readHistory } from './queries/read-history.ts';
import { readPolicies } from './queries/read-policies.ts';
import { readPoliciesAt } from './queries/read-policies-at.ts';
import { readPolicyVersions } from './queries/read-policy-versions.ts';
import { writePolicy } from './queries/write-policy.ts';

export interface PoliciesOptions {
  db: Kysely<PolicySchema>;
  signal: Signal;
  clock: Pick<Clock, 'schedule'>;
  onError: (error: unknown) => void;
}

/** How a policy is changed. */
export interface PolicyChange {
  /** The source of the operator who changes it. */
  readonly by: string;
  /** The agents of the namespace, in pages. */
  readonly agents: () => AsyncIterable<readonly DeclaredAgent[]>;
  readonly ifVersion?: number | undefined;
  /** Whether only the effect is wanted, and nothing is stored. */
  readonly dryRun?: boolean | undefined;
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

/** After how long a change is in force on every replica, in milliseconds, with what clocks differ. */
const SPREAD_MS = 2000;
/** Agents that the effect of a change is computed for. */
const MAX_CHECKED = 10_000;
/** How often a change without `ifVersion` is made again when another one came first. */
const MAX_ATTEMPTS = 5;

/** A policy in force. */
interface Compiled {
  readonly policy: Policy;
  readonly accesses: LRUCache<string, Access>;
  /** Those of all policies together. */
  readonly decisions: Decisions;
}

/** When the store does not answer, the policies that are known stay in force; of others nothing is known, and calls are refused. */
export class Policies {
  /** Open on this replica. */
  readonly streams = new OpenStreams();
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

  /** Namespaces whose policy is in memory. */
  get size(): number {
    return this.#known.size;
  }

  /** What an agent may do. From memory, once the namespace is known; UNAVAILABLE when it is not and can not be. */
  accessOf(namespace: string, role: string, name: string): Access | Promise<Access> {
    const known = this.#known.get(namespace);
    if (known !== undefined) return compiledAccess(known, role, name);
    return this.#compiled(namespace).then((compiled) => compiledAccess(compiled, role, name));
  }

  /** The policy in force here. Of a namespace without one, nothing is kept: any name can be asked for. */
  async get(namespace: string): Promise<Policy> {
    const known = this.#known.get(namespace);
    if (known !== undefined) return known.policy;
    const stored = await this.#load(namespace);
    if (stored === undefined) return this.#known.get(namespace)?.policy ?? DEFAULT_POLICY;
    return (this.#known.get(namespace) ?? this.#enforce(namespace, stored)).policy;
  }

  /** ACL_DENIED unless agents of the role may offer each of the capabilities. */
  async assertMayOffer(
    namespace: string,
    role: string,
    capabilities: readonly Pick<Capability, 'id'>[],
  ): Promise<void> {
    const policy = await this.get(namespace);
    const denied = capabilities.find(({ id }) => !mayOffer(policy, role, id));
    if (denied !== undefined) throw offerDenied(role, denied.id);
  }

  /**
   * Puts what `changed` makes of the policy in force in its place: here at once, and within a second everywhere. A role without
   * `consume` gets its default. CONFLICT when `ifVersion` is not in force, and what `changed` throws.
   */
  async change(
    namespace: string,
    changed: (policy: Policy) => PolicyRules,
    { by, agents, ifVersion, dryRun = false }: PolicyChange,
  ): Promise<ChangedPolicy> {
    for (let attempt = 1; ; attempt += 1) {
      const before = (await this.#read([namespace])).get(namespace) ?? DEFAULT_POLICY;
      if (ifVersion !== undefined && ifVersion !== before.version) throw staleVersion(ifVersion, before.version);
      const rules = withDefaultConsume(checkedRules(changed(before)));
      const comparison = new Comparison(before, rules);
      comparison.addStreams(this.streams.of(namespace));
      let checked = 0;
      let isComplete = true;
      for await (const page of agents()) {
        isComplete = checked < MAX_CHECKED;
        if (!isComplete) break;
        comparison.addAgents(page);
        checked += page.length;
      }
      const effect = comparison.effect(isComplete);
      if (dryRun) return { version: before.version, ...rules, effect };
      const version = await writePolicy(this.#options.db, namespace, { rules, ifVersion: before.version, by });
      if (version !== null) {
        const policy: Policy = { version, ...rules };
        this.#enforce(namespace, policy);
        this.#options.signal.notify(CHANNEL);
        return { ...policy, effect };
      }
      if (ifVersion !== undefined) throw staleVersion(ifVersion, null);
      if (attempt === MAX_ATTEMPTS) throw new SwarmError('CONFLICT', 'the policy was changed by others meanwhile');
    }
  }

  /** The versions that are kept, newest first. */
  async history(
    namespace: string,
    { limit, cursor }: { limit: number; cursor: string | undefined },
  ): Promise<PolicyHistory> {
    const before = cursor === undefined ? null : versionIn(cursor);
    const { rows, hasMore } = await readHistory(this.#options.db, namespace, { before, limit });
    return {
      versions: rows.map(({ version, rules, put_by: by, put_at: at }) => ({
        version,
        ...rules,
        at: at.toISOString(),
        by,
      })),
      nextCursor: hasMore ? String(rows.at(-1)?.version) : null,
    };
  }

  /**
   * The policies by which a replica may have admitted what was published at `atMs` (since the epoch), the likeliest first: that in force
   * then, and the one before when that had been in force a moment ago. Empty when it is no longer kept. UNAVAILABLE.
   */
  async inForceAt(namespace: string, atMs: number): Promise<Policy[]> {
    const { versions, first } = await readPoliciesAt(this.#options.db, namespace, new Date(atMs));
    const [newest] = versions;
    // Before the first version, the shipped policy was in force.
    if (newest === undefined) return first === null || first === 1 ? [DEFAULT_POLICY] : [];
    const isFresh = atMs - newest.put_at.getTime() < SPREAD_MS;
    const likely = isFresh ? versions : [newest];
    const policies = likely.map(({ version, rules }): Policy => ({ version, ...withEveryGroup(rules) }));
    return isFresh && newest.version === 1 ? [...policies, DEFAULT_POLICY] : policies;
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
    accesses.set(key, (access = new Access(role, name, rulesOf(policy, role), decisions)));
  }
  return access;
}

/** What is made of a policy and a part of it can be too much, although both fit. INVALID_INPUT, PAYLOAD_TOO_LARGE. */
function checkedRules({ roles, default: others }: PolicyRules): PolicyRules {
  const { success, data, error } = PolicyRules.safeParse({ roles, default: others });
  if (!success) throw invalidInput(error);
  if (Buffer.byteLength(JSON.stringify(data)) <= LIMITS.policyBytes) return data;
  throw new SwarmError('PAYLOAD_TOO_LARGE', `a policy is at most ${LIMITS.policyBytes} bytes of JSON`, {
    details: { limit: LIMITS.policyBytes },
  });
}

const staleVersion = (expected: number, actual: number | null): SwarmError =>
  new SwarmError(
    'CONFLICT',
    `version ${expected} of the policy is not in force${actual === null ? ' any more' : `, but version ${actual}`}`,
  );

function versionIn(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw invalidField('cursor', 'was not returned by this query');
}
