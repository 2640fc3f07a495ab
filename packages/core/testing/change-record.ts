// The change log as a reader without filters gets it, and what follows from it for every filtered watcher.
import type { Agent, AgentFilter, WatchEvent } from '@hypercode/contracts';
import type { Core } from './call.ts';
import { connect, type Transport } from './connections.ts';
import { digestOf, type ReceivedChange, type Watcher } from './watcher.ts';

export type ChangeEvent = Extract<WatchEvent, { type: 'change' }>;

export interface ReadOptions {
  namespace?: string;
  /** Default `trpc-sse`. */
  transport?: Transport;
}

/** Every change since the namespace began, up to where it stands now. Rejects when the log does not reach back that far. */
export function readChangeLog(
  core: Core,
  { namespace = 'default', transport = 'trpc-sse' }: ReadOptions = {},
): Promise<ChangeEvent[]> {
  return new Promise((resolve, reject) => {
    const changes: ChangeEvent[] = [];
    const connection = connect(
      transport,
      { core, namespace, filter: {}, since: 0 },
      {
        value: (_id, event) => {
          if (event.type === 'change') changes.push(event);
          if (event.type === 'snapshot') reject(new Error('the log does not reach back to its beginning'));
          if (event.type === 'synced') resolve(changes);
          if (event.type !== 'change') connection.close();
        },
        refused: (code) => reject(new Error(`the log could not be read: ${code}`)),
        returned: () => undefined,
        ended: () => reject(new Error('the stream ended too early')),
      },
    );
  });
}

/** The agents that are left after all changes, by name. */
export function stateAfter(changes: readonly ChangeEvent[]): Map<string, Agent> {
  const agents = new Map<string, Agent>();
  for (const { change, agent } of changes) {
    if (change === 'deregistered' || change === 'expired') agents.delete(agent.name);
    else agents.set(agent.name, agent);
  }
  return agents;
}

/** What a watcher with `filter` must receive of these changes: a second, slower model of what the core does. */
export function expectedChanges(filter: AgentFilter, changes: readonly ChangeEvent[]): ReceivedChange[] {
  const before = new Map<string, Agent>();
  const received: ReceivedChange[] = [];
  for (const event of changes) {
    const { agent } = event;
    const previous = before.get(agent.name);
    const removed = event.change === 'deregistered' || event.change === 'expired';
    const did = previous !== undefined && passes(previous, filter);
    const does = !removed && passes(agent, filter);
    if (removed) before.delete(agent.name);
    else before.set(agent.name, agent);
    if (!did && !does) continue;
    const begins = does && !did && previous !== undefined;
    const change = removed ? event.change : !does ? 'left' : begins ? 'updated' : event.change;
    const digest = digestOf({ ...event, change });
    received.push({ revision: event.revision, change, name: agent.name, digest });
  }
  return received;
}

function passes(agent: Agent, { role, capability, labels = {} }: AgentFilter): boolean {
  return (
    (role === undefined || agent.role === role) &&
    (capability === undefined || agent.capabilities.some(({ id }) => id === capability)) &&
    Object.entries(labels).every(([key, value]) => agent.labels[key] === value)
  );
}

/** Null when the watcher received exactly what it must have since its snapshot; otherwise where it begins to differ. */
export function faultOf(watcher: Watcher, filter: AgentFilter, log: readonly ChangeEvent[]): string | null {
  const [first, ...more] = watcher.snapshots;
  if (first === undefined) return `${watcher.title}: no snapshot`;
  const other = more.find(({ revision, reset }) => reset || revision !== first.revision);
  if (other !== undefined) return `${watcher.title}: a second snapshot, at ${other.revision} after ${first.revision}`;
  const expected = expectedChanges(filter, log).filter(({ revision }) => revision > first.revision);
  return firstDifference(watcher.title, watcher.changes, expected);
}

function firstDifference(
  title: string,
  actual: readonly ReceivedChange[],
  expected: readonly ReceivedChange[],
): string | null {
  const at = Array.from({ length: Math.max(actual.length, expected.length) }, (_, i) => i).find(
    (i) => show(actual[i]) !== show(expected[i]),
  );
  if (at === undefined) return null;
  const around = (list: readonly ReceivedChange[]) =>
    list
      .slice(Math.max(0, at - 2), at + 3)
      .map(show)
      .join('; ');
  return `${title}: differs at its change ${at} of ${expected.length}: received ${around(actual)}, not ${around(expected)}`;
}

const show = (received: ReceivedChange | undefined): string =>
  received === undefined ? 'nothing' : `${received.revision} ${received.change} ${received.name} ${received.digest}`;

/** Null when revisions go up one by one from `from` + 1; otherwise what is wrong. */
export function holeIn(changes: readonly { revision: number }[], from: number): string | null {
  const at = changes.findIndex(({ revision }, i) => revision !== from + i + 1);
  return at === -1 ? null : `change ${at} after ${from} has revision ${changes[at]?.revision}`;
}
