// A local mirror of the agents of a watch: what each event means for it, as a pure function.
//
//   following    a change is a difference at once
//   collecting   from the first chunk of a snapshot to its `synced`, everything is kept aside; then the mirror becomes
//                what was collected, and the differences between the two are emitted. A chunk of another revision than the
//                chunks before it begins a new snapshot: what was kept aside is dropped. (The same revision again is
//                the same snapshot, so nothing has to be dropped.)
import type { Agent, WatchEvent } from '@hypercode/contracts';

export type Agents = ReadonlyMap<string, Agent>;
type Snapshot = Extract<WatchEvent, { type: 'snapshot' }>;
type Change = Extract<WatchEvent, { type: 'change' }>;

export interface Mirror {
  /** By name. */
  readonly agents: Agents;
  /** The mirror is the namespace as it was at this revision; 0 before the first `synced`. */
  readonly revision: number;
  /** Whether the mirror has been whole, even if it may be out of date by now. */
  readonly synced: boolean;
  /** The snapshot and the changes that are kept aside; null when following. */
  readonly collected: {
    readonly revision: number;
    readonly events: readonly (Snapshot | Change)[];
  } | null;
}

export type Difference =
  | { readonly kind: 'added'; readonly agent: Agent }
  | { readonly kind: 'changed'; readonly agent: Agent; readonly previous: Agent }
  | { readonly kind: 'removed'; readonly agent: Agent };

/** The mirror's next state, with the differences in place of a copied map; `applyDifferences` brings them about. */
export interface MirrorStep extends Omit<Mirror, 'agents'> {
  readonly differences: readonly Difference[];
  /** Whether this event made the mirror whole, or found it to be. */
  readonly caughtUp: boolean;
}

export function applyWatchEvent(mirror: Mirror, event: WatchEvent): MirrorStep {
  const { agents, revision, synced, collected } = mirror;
  const same = { revision, synced, collected, differences: [], caughtUp: false };
  switch (event.type) {
    case 'snapshot': {
      const earlier = collected?.revision === event.revision ? collected.events : [];
      return { ...same, collected: { revision: event.revision, events: [...earlier, event] } };
    }
    case 'change':
      if (collected !== null) return { ...same, collected: { ...collected, events: [...collected.events, event] } };
      return { ...same, revision: event.revision, differences: differencesOf(agents, event) };
    case 'bookmark':
      return collected === null ? { ...same, revision: Math.max(revision, event.revision) } : same;
    case 'synced': {
      const whole = { synced: true, collected: null, caughtUp: true };
      if (collected === null) return { ...whole, revision: Math.max(revision, event.revision), differences: [] };
      return {
        ...whole,
        revision: event.revision,
        differences: differencesBetween(agents, assemble(collected.events)),
      };
    }
  }
}

const isGone = ({ change }: Change): boolean => change === 'left' || change === 'deregistered' || change === 'expired';

function differencesOf(agents: Agents, event: Change): Difference[] {
  const { agent } = event;
  const previous = agents.get(agent.name);
  if (isGone(event)) return previous === undefined ? [] : [{ kind: 'removed', agent }];
  return [previous === undefined ? { kind: 'added', agent } : { kind: 'changed', agent, previous }];
}

function assemble(events: readonly (Snapshot | Change)[]): Agents {
  const agents = new Map<string, Agent>();
  for (const event of events) {
    if (event.type === 'snapshot') for (const agent of event.agents) agents.set(agent.name, agent);
    else if (isGone(event)) agents.delete(event.agent.name);
    else agents.set(event.agent.name, event.agent);
  }
  return agents;
}

function differencesBetween(before: Agents, after: Agents): Difference[] {
  const differences: Difference[] = [];
  for (const agent of before.values()) {
    if (!after.has(agent.name)) differences.push({ kind: 'removed', agent });
  }
  for (const agent of after.values()) {
    const previous = before.get(agent.name);
    if (previous === undefined) differences.push({ kind: 'added', agent });
    else if (!isSame(previous, agent)) differences.push({ kind: 'changed', agent, previous });
  }
  return differences;
}

/** The time is compared too: after a store was set back, a revision may stand for another change. */
const isSame = (a: Agent, b: Agent): boolean =>
  a.id === b.id && a.revision === b.revision && a.updatedAt === b.updatedAt;

export function applyDifferences(agents: Map<string, Agent>, differences: readonly Difference[]): void {
  for (const { kind, agent } of differences) {
    if (kind === 'removed') agents.delete(agent.name);
    else agents.set(agent.name, agent);
  }
}
