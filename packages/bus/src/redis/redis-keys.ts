// The names of all keys. Those of a namespace share a hash tag, and so a node of a Cluster.
import type { LogPosition } from '../store/position.ts';

/** Begins every key: swarms that share a Redis differ in it. It holds no colon, which ends it. */
export const DEFAULT_PREFIX = 'swarm';

/** Keys of the swarm as a whole. */
export interface SwarmKeys {
  /** Which namespaces there are, so that each replica applies retention to all of them. */
  readonly namespaces: string;
  /** Written to see whether Redis takes writes. */
  readonly written: string;
  /** The id of the swarm that writes here. */
  readonly swarm: string;
}

export const swarmKeys = (prefix: string): SwarmKeys => ({
  namespaces: `{${prefix}}:namespaces`,
  written: `{${prefix}}:written`,
  swarm: `{${prefix}}:swarm`,
});

const tagOf = (namespace: string, prefix: string): string => `{${prefix}:${namespace}}`;

export const groupNamesKey = (namespace: string, prefix = DEFAULT_PREFIX): string =>
  `${tagOf(namespace, prefix)}:groups`;

export const ownedGroupsKey = (namespace: string, prefix = DEFAULT_PREFIX): string =>
  `${tagOf(namespace, prefix)}:owned-groups`;

/** KEYS of the log's scripts; `lua/log-state.lua` describes each. */
export const logKeys = (namespace: string, prefix = DEFAULT_PREFIX): string[] =>
  ['log', 'events', 'marks', 'topics', 'topic-names', 'dedup', 'spared', 'flows'].map(
    (part) => `${tagOf(namespace, prefix)}:${part}`,
  );

/** KEYS of the scripts that write, cut or search the index of ids; `lua/event-index.lua` describes those after the log's. */
export const indexKeys = (namespace: string, prefix = DEFAULT_PREFIX): string[] => [
  ...logKeys(namespace, prefix),
  ...['ids', 'open-ids', 'spared-ids'].map((part) => `${tagOf(namespace, prefix)}:${part}`),
];

const groupKey = (namespace: string, group: string, prefix: string): string => `${tagOf(namespace, prefix)}:g:${group}`;

/** The last signs of life of a group's members. */
export const signsKey = (namespace: string, group: string, prefix = DEFAULT_PREFIX): string =>
  `${groupKey(namespace, group, prefix)}:signs`;

/** The texts of the events that a group holds. */
export const textsKey = (namespace: string, group: string, prefix = DEFAULT_PREFIX): string =>
  `${groupKey(namespace, group, prefix)}:texts`;

/** KEYS of the groups' scripts; `lua/group-state.lua` describes each. */
export function groupKeys(namespace: string, group: string, prefix = DEFAULT_PREFIX): string[] {
  const key = groupKey(namespace, group, prefix);
  const parts = ['due', 'waiting', 'records', 'texts', 'histories', 'dead', 'held'];
  const shared = ['deleted-groups', 'group-makers'].map((part) => `${tagOf(namespace, prefix)}:${part}`);
  const owned = ownedGroupsKey(namespace, prefix);
  const names = groupNamesKey(namespace, prefix);
  const own = ['uncounted', 'signs'].map((part) => `${key}:${part}`);
  return [
    ...logKeys(namespace, prefix),
    key,
    ...parts.map((part) => `${key}:${part}`),
    names,
    ...shared,
    owned,
    ...own,
  ];
}

const SEQ_DIGITS = 16;

/** An event's name within its group; sorts by `seq`. */
export const memberOf = ({ epoch, seq, nonce }: LogPosition): string =>
  `${String(seq).padStart(SEQ_DIGITS, '0')}-${nonce}-${epoch}`;

export function positionOfMember(member: string): LogPosition {
  const [seq = '', nonce = '', epoch = ''] = member.split('-');
  return { epoch, seq: Number(seq), nonce: Number(nonce) };
}
