// Who receives events of a topic now: groups, and live streams of all replicas.
import type { Clock } from '@hypercode/clock';
import { matches, onlyListens, rulesOf, TopicSet } from '@hypercode/contracts';
import { LRUCache } from 'lru-cache';
import type { Policies } from '../policies/policies.ts';
import { callerOf } from './callers.ts';
import type { StreamSurvey, SurveyedAudience } from './stream-survey.ts';

/** A group, as far as it matters who receives what. */
export interface GroupTopics {
  readonly group: string;
  readonly topics: readonly string[];
}

/** An agent that declares that it subscribes to a topic. */
export interface DeclaringAgent {
  readonly name: string;
  readonly role: string;
}

export interface ReceiversOptions {
  readonly groups: (namespace: string) => Promise<readonly GroupTopics[]>;
  readonly survey: StreamSurvey;
  readonly policies: Pick<Policies, 'accessOf' | 'get'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** For how long the groups of a namespace are taken as they were read, in milliseconds. */
const GROUPS_LAST_MS = 1000;
/** Namespaces whose groups are kept. */
const MAX_NAMESPACES = 1000;

/** So many streams of a topic. */
export interface StreamCount {
  readonly agents: number;
  readonly operators: number;
}

export class Receivers {
  readonly #options: ReceiversOptions;
  readonly #groups: LRUCache<string, Promise<readonly GroupTopics[]>>;
  readonly #topics = new WeakMap<readonly string[], TopicSet>();

  constructor(options: ReceiversOptions) {
    this.#options = options;
    // The cache takes 0 for no time at all.
    const perf = { now: () => options.clock.monotonicMs() + 1 };
    this.#groups = new LRUCache({ max: MAX_NAMESPACES, ttl: GROUPS_LAST_MS, ttlResolution: 0, perf });
  }

  /** All groups, at most a second old. UNAVAILABLE. */
  allGroups(namespace: string): Promise<readonly GroupTopics[]> {
    const known = this.#groups.get(namespace);
    if (known !== undefined) return known;
    const read = this.#options.groups(namespace);
    this.#groups.set(namespace, read);
    // A failure is not an answer to give again.
    read.catch(() => this.#groups.delete(namespace));
    return read;
  }

  /** The groups that take the topic, with or without members. UNAVAILABLE. */
  async groups(namespace: string, topic: string): Promise<string[]> {
    const all = await this.allGroups(namespace);
    return all.filter(({ topics }) => this.#matches(topics, topic)).map(({ group }) => group);
  }

  /**
   * Whether a live stream counts for a mandatory event: one of another agent than `source`, whose role may publish something. This
   * replica is asked first, and the others only when it has none. UNAVAILABLE.
   */
  async hasCountedStream(namespace: string, topic: string, source: string): Promise<boolean> {
    const { survey } = this.#options;
    if (await this.#counts(survey.here(namespace), { namespace, topic, source })) return true;
    return this.#counts((await survey.elsewhere(namespace)).audiences, { namespace, topic, source });
  }

  /** The streams of all replicas that receive the topic. UNAVAILABLE. */
  async streams(namespace: string, topic: string): Promise<StreamCount> {
    const { audiences } = await this.#options.survey.everywhere(namespace);
    let agents = 0;
    let operators = 0;
    for (const audience of audiences) {
      if (!this.#matches(audience.topics, topic)) continue;
      if (audience.kind === 'operator') operators += audience.streams;
      else agents += await this.#allowed(audience, namespace, topic);
    }
    return { agents, operators };
  }

  /** Those of `agents` that have no stream on which they receive the topic. UNAVAILABLE. */
  async withoutStream<A extends DeclaringAgent>(namespace: string, topic: string, agents: readonly A[]): Promise<A[]> {
    const { audiences } = await this.#options.survey.everywhere(namespace);
    const listening = new Set<string>();
    const crowded = new Set<string | null>();
    for (const audience of audiences) {
      const { kind, role, callers, streams } = audience;
      if (kind === 'operator' || !this.#matches(audience.topics, topic)) continue;
      for (const { caller } of callers) {
        if (await this.#isShown(audience, { namespace, topic, caller })) listening.add(callerOf(caller).name);
      }
      // Any agent of the role may be among those that are not named.
      if (streams > callers.length) crowded.add(role);
    }
    return agents.filter(({ name, role }) => !listening.has(name) && !crowded.has(role));
  }

  async #counts(
    audiences: readonly SurveyedAudience[],
    { namespace, topic, source }: { namespace: string; topic: string; source: string },
  ): Promise<boolean> {
    for (const audience of audiences) {
      const { kind, role, callers, topics } = audience;
      if (kind === 'operator' || role === null || !this.#matches(topics, topic)) continue;
      if (onlyListens(rulesOf(await this.#options.policies.get(namespace), role))) continue;
      // An audience names as many callers as it has, up to some; so if only the source is named, there is no other.
      for (const { caller } of callers) {
        if (caller !== source && (await this.#isShown(audience, { namespace, topic, caller }))) return true;
      }
    }
    return false;
  }

  /** How many of its streams the policy lets receive the topic; those that are not named are taken to be as the named ones. */
  async #allowed(audience: SurveyedAudience, namespace: string, topic: string): Promise<number> {
    const { callers, streams } = audience;
    let named = 0;
    for (const { caller } of callers) if (await this.#isShown(audience, { namespace, topic, caller })) named += 1;
    return named === 0 ? 0 : streams - callers.length + named;
  }

  async #isShown(
    { role }: SurveyedAudience,
    { namespace, topic, caller }: { namespace: string; topic: string; caller: string },
  ): Promise<boolean> {
    if (role === null) return true;
    const { hidden } = await this.#options.policies.accessOf(namespace, role, callerOf(caller).name);
    return !hidden.some((pattern) => matches(pattern, topic));
  }

  #matches(patterns: readonly string[], topic: string): boolean {
    let set = this.#topics.get(patterns);
    if (set === undefined) this.#topics.set(patterns, (set = new TopicSet(patterns)));
    return set.has(topic);
  }
}
