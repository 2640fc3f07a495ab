// What a watch of the registry sends: a snapshot, then every change after it, in order.
import { z } from 'zod';
import { Agent } from './agent.ts';
import { unionByType } from './union-by-type.ts';

const Revision = z.number().int().nonnegative();

/** Why an agent's record changed, as the change log keeps it. */
export const ChangeType = z.enum(['registered', 'updated', 'status', 'deregistered', 'expired']);
export type ChangeType = z.infer<typeof ChangeType>;

/** What a watcher receives: a change, or `left` when an agent stopped matching the watch's filter. */
export const WatchChangeType = z.enum([...ChangeType.options, 'left']);
export type WatchChangeType = z.infer<typeof WatchChangeType>;

/**
 * - `snapshot`: one or more chunks of the agents that match at `revision`; `reset` when they replace what was known
 *   because the requested cursor could not be resumed.
 * - `synced`: the snapshot is whole, or the resumed cursor has caught up.
 * - `change`: one agent changed at `revision`.
 * - `bookmark`: nothing that matches happened up to `revision`; resuming from it is cheap.
 */
export const WatchEvent = unionByType([
  z.object({ type: z.literal('snapshot'), revision: Revision, agents: z.array(Agent), reset: z.boolean() }),
  z.object({ type: z.literal('synced'), revision: Revision }),
  z.object({
    type: z.literal('change'),
    revision: Revision,
    change: WatchChangeType,
    agent: Agent,
    at: z.iso.datetime(),
  }),
  z.object({ type: z.literal('bookmark'), revision: Revision }),
]).meta({ id: 'WatchEvent' });
export type WatchEvent = z.infer<typeof WatchEvent>;

/** The tracked id of snapshot chunks: resuming there starts a fresh snapshot. */
export const SNAPSHOT_ID = 'snapshot';
