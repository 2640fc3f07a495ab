// What changed between two states of an overview.
import type { ClusterStatus, GroupInfo, NamespaceInfo, Overview } from '@hypercode/contracts';

/** Everything that an overview has. */
export interface OverviewState {
  readonly groups: readonly GroupInfo[];
  readonly cluster: ClusterStatus;
  readonly namespace: NamespaceInfo;
  readonly questions: { readonly open: number };
}

type Change = Omit<Overview, 'type' | 'reset' | 'at'>;

export interface ChangeOptions {
  /** Whether it counts that figures of replicas and stores moved: times, memory, latencies. They always move. */
  readonly figures: boolean;
}

/** Null: nothing changed. */
export function changeBetween(before: OverviewState, after: OverviewState, { figures }: ChangeOptions): Change | null {
  const known = new Map(before.groups.map((group) => [group.group, JSON.stringify(group)]));
  const groups = after.groups.filter((group) => known.get(group.group) !== JSON.stringify(group));
  for (const { group } of after.groups) known.delete(group);
  const clusterOf = figures ? ({ cluster }: OverviewState) => cluster : withoutFigures;
  const change: Change = {
    ...(groups.length > 0 ? { groups } : {}),
    ...(known.size > 0 ? { removedGroups: [...known.keys()] } : {}),
    ...(isSame(clusterOf(before), clusterOf(after)) ? {} : { cluster: after.cluster }),
    ...(isSame(before.namespace, after.namespace) ? {} : { namespace: after.namespace }),
    ...(isSame(before.questions, after.questions) ? {} : { questions: after.questions }),
  };
  return Object.keys(change).length === 0 ? null : change;
}

const withoutFigures = ({ cluster: { replicas, stores, suspended } }: OverviewState) => ({
  replicas: replicas.map(({ id, streams }) => ({ id, streams })),
  stores: Object.values(stores).map(({ kind, version, ok }) => ({ kind, version, ok })),
  suspended,
});

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
