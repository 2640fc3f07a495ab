// The findings of the live swarm, and since when there are none.
import { systemClock } from '@hypercode/clock';
import { useMemo } from 'react';
import { useAgents, useNamespace, useOfNow, useOverview, usePlans } from '../../swarm/swarm-context.tsx';
import { type Finding, findingsOf } from './findings.ts';

/** How often times alone make a finding, in milliseconds. */
const STEP_MS = 5000;

/** Of the page: since when the list is empty. Milliseconds since the epoch. */
let wellSinceMs: number | null = null;
/** Of the page: when it noticed each finding of which the core does not know since when. Milliseconds since the epoch. */
let noticedAtMs: ReadonlyMap<string, number> = new Map();

export interface Findings {
  readonly findings: readonly Finding[];
  /** By the id of a finding that has no `since`. Milliseconds since the epoch. */
  readonly noticedAtMs: ReadonlyMap<string, number>;
  /** Whether all that the findings come from is there. */
  readonly isWhole: boolean;
  /** Null while there are findings. */
  readonly wellSinceMs: number | null;
}

export function useFindings(): Findings {
  const { tally: agents, feed: agentsFeed } = useAgents();
  const { overview } = useOverview();
  const { plans, feed: plansFeed } = usePlans();
  const namespace = useNamespace();
  const step = useOfNow((now) => Math.floor(now / STEP_MS));
  return useMemo(() => {
    const now = step * STEP_MS;
    const findings = findingsOf({ namespace, agents, overview, plans, now });
    const isWhole = overview !== null && agentsFeed.state !== 'opening' && plansFeed.state !== 'opening';
    if (findings.length > 0 || !isWhole) wellSinceMs = null;
    else wellSinceMs ??= systemClock.epochMs();
    const unknown = findings.filter(({ since }) => since === null);
    noticedAtMs = new Map(unknown.map(({ id }) => [id, noticedAtMs.get(id) ?? systemClock.epochMs()]));
    return { findings, noticedAtMs, isWhole, wellSinceMs };
  }, [namespace, agents, overview, plans, agentsFeed, plansFeed, step]);
}
