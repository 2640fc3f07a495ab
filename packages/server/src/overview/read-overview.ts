// Reads everything that an overview has.
import type { Bus } from '@hypercode/bus';
import { type GroupInfo, LIMITS } from '@hypercode/contracts';
import type { SwarmView } from '../swarm-view.ts';
import type { OverviewState } from './overview-change.ts';

export interface OverviewSources {
  readonly bus: Bus;
  readonly view: SwarmView;
  /** How many questions of a namespace wait for the answer of a person. */
  readonly openQuestions: (namespace: string) => Promise<number>;
}

/** UNAVAILABLE. */
export async function readOverview(
  { bus, view, openQuestions }: OverviewSources,
  namespace: string,
): Promise<OverviewState> {
  const [groups, cluster, described, open] = await Promise.all([
    groupsOf(bus, namespace),
    view.cluster(namespace),
    view.namespace(namespace),
    openQuestions(namespace),
  ]);
  return { groups, cluster, namespace: described, questions: { open } };
}

/** Whoever may follow an overview may see every group. */
const OVERSEER = { kind: 'operator', name: 'overview', id: 'overview', readOnly: true } as const;

async function groupsOf(bus: Bus, namespace: string): Promise<GroupInfo[]> {
  const groups: GroupInfo[] = [];
  let cursor: string | undefined;
  do {
    const page = await bus.groups(OVERSEER, { namespace, limit: LIMITS.groupsPage, cursor });
    groups.push(...page.groups);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined && groups.length < LIMITS.overviewGroups);
  return groups;
}
