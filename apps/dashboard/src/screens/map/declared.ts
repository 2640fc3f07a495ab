// What agents declare, held against what they did in a window of time: declared and silent, used and not declared.
import type { Agent } from '@hypercode/client';
import { covers, intersects, type TrafficEdge } from '@hypercode/contracts';
import { partyOfSource } from './talks.ts';

export interface Declared {
  readonly agent: string;
  readonly direction: 'publishes' | 'subscribes';
  /** A pattern that is declared, or a topic that was used. */
  readonly topic: string;
  /** Events; 0 of what is silent. */
  readonly count: number;
}

export interface DeclaredAndUsed {
  readonly silent: readonly Declared[];
  readonly undeclared: readonly Declared[];
}

type Declaring = Pick<Agent, 'name' | 'role' | 'topics'>;

/**
 * Only events that somebody received are counted, so a pattern that is silent may be one on which nobody listens. What an agent receives is what its
 * streams receive, and groups with its name or that of its role: which member took an event of a group is not counted. Topics that are
 * received through such a group are never held against its agents as not declared.
 */
export function declaredAndUsed(agents: readonly Declaring[], edges: readonly TrafficEdge[]): DeclaredAndUsed {
  const published = new Map<string, Map<string, number>>();
  const streamed = new Map<string, Map<string, number>>();
  const grouped = new Map<string, Map<string, number>>();
  for (const { source, topic, reader, count } of edges) {
    const from = partyOfSource(source);
    if (from.kind === 'agent') add(published, from.name, topic, count);
    add(reader.kind === 'group' ? grouped : streamed, reader.name, topic, count);
  }
  const silent: Declared[] = [];
  const undeclared: Declared[] = [];
  for (const { name: agent, role, topics } of agents) {
    const sent = published.get(agent) ?? NONE;
    const own = streamed.get(agent) ?? NONE;
    const groups = [...grouped].flatMap(([group, used]) => (mayServe(group, agent, role) ? [...used.keys()] : []));
    const received = [...own.keys(), ...groups];
    const compare = (
      direction: Declared['direction'],
      patterns: readonly string[],
      used: ReadonlyMap<string, number>,
      seen: readonly string[],
    ): void => {
      for (const pattern of patterns)
        if (!seen.some((topic) => intersects(pattern, topic)))
          silent.push({ agent, direction, topic: pattern, count: 0 });
      for (const [topic, count] of used)
        if (!patterns.some((pattern) => covers(pattern, topic))) undeclared.push({ agent, direction, topic, count });
    };
    compare('publishes', topics.publishes, sent, [...sent.keys()]);
    compare('subscribes', topics.subscribes, own, received);
  }
  return { silent, undeclared: undeclared.toSorted((a, b) => b.count - a.count) };
}

const NONE: ReadonlyMap<string, number> = new Map();

/** Whose a group is by its name: that of an agent, that of its role, or one that begins with the role. */
const mayServe = (group: string, agent: string, role: string): boolean =>
  group === agent || group === role || group.startsWith(`${role}-`);

function add(to: Map<string, Map<string, number>>, name: string, topic: string, count: number): void {
  const topics = to.get(name) ?? new Map<string, number>();
  topics.set(topic, (topics.get(topic) ?? 0) + count);
  to.set(name, topics);
}
