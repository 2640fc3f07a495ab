// What a filter asks for, answered twice: for one agent in memory (watches), and as index terms (queries, snapshots).
import { type Agent, type AgentFilter, matches, type Topic, type TopicPattern } from '@hypercode/contracts';

/** Tokens of a pattern that are indexed; a longer pattern is found by its beginning and checked in full. */
export const INDEXED_TOKENS = 8;

/** Whether `agent` is one that `filter` asks for. */
export function matchesFilter(agent: Agent, filter: AgentFilter): boolean {
  const { role, capability, topic, health, activity, circuit, labels } = filter;
  if (role !== undefined && agent.role !== role) return false;
  if (health !== undefined && agent.status.health !== health) return false;
  if (activity !== undefined && agent.status.activity !== activity) return false;
  if (circuit !== undefined && agent.status.circuit !== circuit) return false;
  if (capability !== undefined && !agent.capabilities.some(({ id }) => id === capability)) return false;
  if (labels !== undefined) {
    for (const [key, value] of Object.entries(labels)) if (agent.labels[key] !== value) return false;
  }
  return topic === undefined || declaredPatterns(agent).some((pattern) => matches(pattern, topic));
}

/** The same text for filters that ask for the same thing; watchers with equal keys share their work. */
export function filterKey(filter: AgentFilter): string {
  const { role, capability, topic, health, activity, circuit, labels } = filter;
  const sorted = Object.entries(labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([role, capability, topic, health, activity, circuit, sorted]);
}

const declaredPatterns = (agent: Pick<Agent, 'topics'>): TopicPattern[] => [
  ...agent.topics.publishes,
  ...agent.topics.subscribes,
];

/** The index terms under which an agent is found. They carry the namespace: one index serves all. */
export function facetsOf(agent: Omit<Agent, 'leaseMs'>): string[] {
  const { namespace } = agent;
  const facets = [
    term(namespace, 'role', agent.role),
    term(namespace, 'health', agent.status.health),
    term(namespace, 'circuit', agent.status.circuit),
  ];
  for (const { id } of agent.capabilities) facets.push(term(namespace, 'capability', id));
  for (const [key, value] of Object.entries(agent.labels)) facets.push(term(namespace, 'label', `${key}=${value}`));
  for (const pattern of new Set(declaredPatterns(agent))) facets.push(term(namespace, 'topic', patternKey(pattern)));
  return facets;
}

export interface FilterTerms {
  /** Terms that must all be there. */
  all: string[];
  /** Terms of which one must be there; null when the filter asks for no topic. */
  any: string[] | null;
  /** A topic whose match the terms cannot decide alone; null when they can. */
  recheckTopic: Topic | null;
}

/** The index terms that an agent must have for `filter` to match it. */
export function termsOf(namespace: string, filter: AgentFilter): FilterTerms {
  const { role, capability, topic, health, circuit, labels } = filter;
  const all: string[] = [];
  if (role !== undefined) all.push(term(namespace, 'role', role));
  if (health !== undefined) all.push(term(namespace, 'health', health));
  if (circuit !== undefined) all.push(term(namespace, 'circuit', circuit));
  if (capability !== undefined) all.push(term(namespace, 'capability', capability));
  for (const [key, value] of Object.entries(labels ?? {})) all.push(term(namespace, 'label', `${key}=${value}`));
  if (topic === undefined) return { all, any: null, recheckTopic: null };
  const any = patternKeysMatching(topic).map((key) => term(namespace, 'topic', key));
  return { all, any, recheckTopic: topic.split('.').length > INDEXED_TOKENS ? topic : null };
}

const term = (namespace: string, kind: string, value: string): string => `${namespace}/${kind}:${value}`;

/** Marks the key of a pattern that goes on after its indexed tokens. */
const LONGER = '+';

function patternKey(pattern: TopicPattern): string {
  const tokens = pattern.split('.');
  if (tokens.length <= INDEXED_TOKENS) return pattern;
  return [...tokens.slice(0, INDEXED_TOKENS), LONGER].join('.');
}

/**
 * The keys of all patterns that can match `topic`: every token as itself or as `*`, or cut short by `>`. At most
 * 2^9 - 1 keys, since only the first tokens are indexed.
 */
function patternKeysMatching(topic: Topic): string[] {
  const tokens = topic.split('.');
  const keys: string[] = [];
  let prefixes = [''];
  for (const token of tokens.slice(0, INDEXED_TOKENS)) {
    for (const prefix of prefixes) keys.push(`${prefix}>`);
    prefixes = prefixes.flatMap((prefix) => [`${prefix}${token}.`, `${prefix}*.`]);
  }
  const ending = tokens.length > INDEXED_TOKENS ? LONGER : '';
  for (const prefix of prefixes) keys.push(ending === '' ? prefix.slice(0, -1) : `${prefix}${ending}`);
  return keys;
}

/** Most different words of one agent that free text finds; the rest of a very long description is not indexed. */
const MAX_WORDS = 1000;
/** Letters with their marks and digits, of any script. What is longer is several words. */
const WORD = /[\p{L}\p{M}\p{N}]{1,64}/gu;

/** The words of a text, lower-case, each once. */
export function wordsOf(text: string): string[] {
  const words = new Set<string>();
  for (const [word] of text.normalize('NFKC').toLowerCase().matchAll(WORD)) {
    words.add(word);
    if (words.size >= MAX_WORDS) break;
  }
  return [...words];
}

/** Everything in an agent that free text searches. */
export function searchTextOf(agent: Omit<Agent, 'leaseMs'>): string {
  const parts = [agent.name, agent.role];
  for (const { id, tags } of agent.capabilities) parts.push(id, ...(tags ?? []));
  for (const [key, value] of Object.entries(agent.labels)) parts.push(key, value);
  if (agent.description !== null) parts.push(agent.description);
  for (const { description } of agent.capabilities) if (description !== undefined) parts.push(description);
  return parts.join(' ');
}

/** A `tsquery` that asks for every word of `text`, each as the beginning of a word; null when there is none. */
export function searchQuery(text: string): string | null {
  const words = wordsOf(text);
  return words.length === 0 ? null : words.map((word) => `'${word}':*`).join(' & ');
}
