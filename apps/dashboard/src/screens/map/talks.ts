// Who talks to whom, put together from the traffic of a namespace: the edges of the API are one for each topic.
import type { TrafficEdge } from '@hypercode/contracts';

export type PartyKind = 'agent' | 'operator' | 'core' | 'group';

export interface Party {
  /** Unique among all of them, and what the address has: `agent:ada`. */
  readonly key: string;
  readonly kind: PartyKind;
  readonly name: string;
}

export interface Talk {
  /** `from>to`, of their keys. */
  readonly key: string;
  readonly from: Party;
  readonly to: Party;
  readonly count: number;
  /** The most used first. */
  readonly topics: readonly { readonly topic: string; readonly count: number; readonly source: string }[];
}

export interface Talks {
  /** The busiest first, as all lists here. */
  readonly talks: readonly Talk[];
  readonly senders: readonly Party[];
  readonly readers: readonly Party[];
  /** Of the busiest talk; 0 without one. */
  readonly most: number;
}

const party = (kind: PartyKind, name: string): Party => ({ key: `${kind}:${name}`, kind, name });

/** `/agents/<namespace>/<name>`, `/operators/<name>` or `/core`. */
export function partyOfSource(source: string): Party {
  const [, root, first, second] = source.split('/');
  if (root === 'agents' && second !== undefined) return party('agent', second);
  if (root === 'operators' && first !== undefined) return party('operator', decoded(first));
  return root === 'core' ? party('core', 'core') : party('operator', source);
}

/** A stream has the name of its agent, or the source of its operator. */
const partyOfReader = ({ kind, name }: TrafficEdge['reader']): Party =>
  kind === 'group' ? party('group', name) : name.startsWith('/') ? partyOfSource(name) : party('agent', name);

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** `text` is found in the names of both sides and in topics. */
export function talksOf(edges: readonly TrafficEdge[], text = ''): Talks {
  const wanted = text.trim().toLowerCase();
  const found = new Map<string, { from: Party; to: Party; count: number; topics: Talk['topics'][number][] }>();
  for (const { source, topic, reader, count } of edges) {
    const from = partyOfSource(source);
    const to = partyOfReader(reader);
    if (wanted !== '' && ![from.key, to.key, topic].some((word) => word.toLowerCase().includes(wanted))) continue;
    const key = `${from.key}>${to.key}`;
    const talk = found.get(key) ?? { from, to, count: 0, topics: [] };
    talk.count += count;
    talk.topics.push({ topic, count, source });
    found.set(key, talk);
  }
  const talks = Array.from(found, ([key, talk]) => ({
    key,
    ...talk,
    topics: talk.topics.toSorted((a, b) => b.count - a.count),
  })).toSorted((a, b) => b.count - a.count);
  return {
    talks,
    senders: busiest(talks, ({ from }) => from),
    readers: busiest(talks, ({ to }) => to),
    most: talks[0]?.count ?? 0,
  };
}

function busiest(talks: readonly Talk[], side: (talk: Talk) => Party): Party[] {
  const counts = new Map<string, { readonly party: Party; count: number }>();
  for (const talk of talks) {
    const one = side(talk);
    const known = counts.get(one.key);
    if (known === undefined) counts.set(one.key, { party: one, count: talk.count });
    else known.count += talk.count;
  }
  return [...counts.values()].toSorted((a, b) => b.count - a.count).map(({ party: one }) => one);
}

/** All that take part, each once. */
export const partiesOf = ({ senders, readers }: Talks): Party[] => [
  ...new Map([...senders, ...readers].map((one) => [one.key, one])).values(),
];
