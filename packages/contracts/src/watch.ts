// What a watch of the registry sends: a snapshot, then every change after it, in order.
import { z } from 'zod';
import { Agent } from './agent.ts';
import { AgentSummary, type AgentView } from './agent-view.ts';
import { unionByType } from './union-by-type.ts';

const Revision = z.number().int().nonnegative();

/** Why an agent's record changed, as the change log keeps it. */
export const ChangeType = z.enum(['registered', 'updated', 'status', 'deregistered', 'expired']);
export type ChangeType = z.infer<typeof ChangeType>;

/** What a watcher receives: a change, or `left` when an agent stopped matching the watch's filter. */
export const WatchChangeType = z.enum([...ChangeType.options, 'left']);
export type WatchChangeType = z.infer<typeof WatchChangeType>;

/** The events of a watch whose agents are of this form. */
const eventsOf = <Given extends z.ZodType>(agent: Given) =>
  unionByType([
    z.object({ type: z.literal('snapshot'), revision: Revision, agents: z.array(agent), reset: z.boolean() }),
    z.object({ type: z.literal('synced'), revision: Revision }),
    z.object({
      type: z.literal('change'),
      revision: Revision,
      change: WatchChangeType,
      agent,
      at: z.iso.datetime(),
    }),
    z.object({ type: z.literal('bookmark'), revision: Revision }),
  ]);

/**
 * - `snapshot`: one or more chunks of the agents that match at `revision`; `reset` when they replace what was known
 *   because the requested cursor could not be resumed.
 * - `synced`: the snapshot is whole, or the resumed cursor has caught up.
 * - `change`: one agent changed at `revision`.
 * - `bookmark`: nothing that matches happened up to `revision`; resuming from it is cheap.
 */
export const WatchEvent = eventsOf(Agent).meta({ id: 'WatchEvent' });
export type WatchEvent = z.infer<typeof WatchEvent>;

/** The same with the view `summary`. */
export const WatchSummaryEvent = eventsOf(AgentSummary).meta({ id: 'WatchSummaryEvent' });
export type WatchSummaryEvent = z.infer<typeof WatchSummaryEvent>;

/** What a watch with a view sends. */
export type WatchEventIn<View extends AgentView> = { full: WatchEvent; summary: WatchSummaryEvent }[View];

/** The tracked id of snapshot chunks: resuming there starts a fresh snapshot. */
export const SNAPSHOT_ID = 'snapshot';
