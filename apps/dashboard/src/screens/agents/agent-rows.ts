// The rows of the list of agents, and the choices of its filters: made in slices, so that a list of many agents holds nothing up.
import type { AgentSummary } from '@hypercode/client';
import { useCallback, useEffect, useState } from 'react';
import { Derived } from '../../swarm/derived.ts';
import type { SlicedWork } from '../../swarm/slices.ts';
import { useStore } from '../../swarm/store.ts';
import { useEachAgents } from '../../swarm/swarm-context.tsx';
import { type AgentFilterSearch, filtered } from './agent-filter.ts';
import { type Facets, facetsOf, type ListRow, NO_FACETS, rowsOf } from './agent-groups.ts';

interface Wanted {
  readonly agents: readonly AgentSummary[];
  readonly filter: AgentFilterSearch;
  /** Of `filter`. */
  readonly key: string;
  readonly folded: ReadonlySet<string | null>;
}

interface Made {
  readonly rows: readonly ListRow[];
  /** How many agents the filter leaves. */
  readonly found: number;
  /** The filter that the rows are of, as JSON; null before the first rows are made. */
  readonly key: string | null;
}

function* make({ agents, filter, key, folded }: Wanted): SlicedWork<Made> {
  const found = yield* filtered(agents, filter);
  const rows = yield* rowsOf(found, filter.group, folded);
  return { rows, found: found.length, key };
}

interface UseRowsOptions {
  readonly agents: readonly AgentSummary[];
  /** Whether the agents are all there. */
  readonly isReady: boolean;
  readonly filter: AgentFilterSearch;
  readonly folded: ReadonlySet<string | null>;
}

/** Follows the agents when there is time, and what a person chooses at once. */
export function useRows({ agents, isReady, filter, folded }: UseRowsOptions): Made {
  const [made] = useState(
    () =>
      new Derived<Wanted, Made>({
        initial: { rows: [], found: 0, key: null },
        work: make,
        isUrgent: (wanted, before) => wanted.key !== before.key || wanted.folded !== before.folded,
      }),
  );
  useEffect(() => () => made.close(), [made]);
  const key = JSON.stringify(filter);
  useEffect(() => {
    if (isReady) made.ask({ agents, filter, key, folded });
  }, [made, agents, isReady, key, folded]);
  return useStore(made.view);
}

/** How often the choices follow the agents, in milliseconds: a list that is open must not change under the pointer. */
const FACETS_MS = 2000;

export function useFacets(): Facets {
  const [facets] = useState(
    () =>
      new Derived<readonly AgentSummary[], Facets>({
        initial: NO_FACETS,
        work: facetsOf,
        isUrgent: (_, before) => before.length === 0,
        restMs: FACETS_MS,
      }),
  );
  useEffect(() => () => facets.close(), [facets]);
  useEachAgents(useCallback(({ agents }) => facets.ask(agents), [facets]));
  return useStore(facets.view);
}
