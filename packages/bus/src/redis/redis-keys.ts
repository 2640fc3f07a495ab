// The names of all keys. Those of a namespace share a hash tag, and so a node of a Cluster.
import type { LogPosition } from '../store/position.ts';

/** Which namespaces there are, so that each replica applies retention to all of them. */
export const NAMESPACES_KEY = '{swarm}:namespaces';

const tagOf = (namespace: string): string => `{swarm:${namespace}}`;

export const groupNamesKey = (namespace: string): string => `${tagOf(namespace)}:groups`;

/** KEYS of the log's scripts; `lua/log-state.lua` describes each. */
export const logKeys = (namespace: string): string[] =>
  ['log', 'events', 'marks', 'topics', 'topic-names', 'dedup', 'spared', 'flows'].map(
    (part) => `${tagOf(namespace)}:${part}`,
  );

/** KEYS of the groups' scripts; `lua/group-state.lua` describes each. */
export function groupKeys(namespace: string, group: string): string[] {
  const prefix = `${tagOf(namespace)}:g:${group}`;
  const parts = ['due', 'waiting', 'records', 'texts', 'histories', 'dead', 'held'];
  return [...logKeys(namespace), prefix, ...parts.map((part) => `${prefix}:${part}`), groupNamesKey(namespace)];
}

const SEQ_DIGITS = 16;

/** An event's name within its group; sorts by `seq`. */
export const memberOf = ({ epoch, seq, nonce }: LogPosition): string =>
  `${String(seq).padStart(SEQ_DIGITS, '0')}-${nonce}-${epoch}`;

export function positionOfMember(member: string): LogPosition {
  const [seq = '', nonce = '', epoch = ''] = member.split('-');
  return { epoch, seq: Number(seq), nonce: Number(nonce) };
}
