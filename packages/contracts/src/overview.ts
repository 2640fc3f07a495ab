// The state of one swarm at a glance, as a stream.
import { z } from 'zod';
import { GroupInfo } from './bus.ts';
import { ClusterStatus, NamespaceInfo } from './cluster.ts';
import { LIMITS } from './limits.ts';
import { inNamespace, Name } from './name.ts';

export const OverviewInput = z.object({ ...inNamespace, lastEventId: z.string().max(LIMITS.cursorLength).optional() });
export type OverviewInput = z.output<typeof OverviewInput>;

/**
 * The first value of a stream, and each value with `reset: true`, has everything. Each later value has what changed since the value before
 * it: a part that is absent has not changed, and `groups` has the groups that changed.
 */
export const Overview = z
  .object({
    type: z.literal('overview'),
    /** True: it has everything, and what is not in it does not exist. */
    reset: z.boolean(),
    /** Groups that changed, by name. Of a namespace with more than 1,000 groups, only the first 1,000 by name are followed. */
    groups: z.array(GroupInfo).optional(),
    /** Groups that no longer exist. */
    removedGroups: z.array(Name).optional(),
    cluster: ClusterStatus.optional(),
    namespace: NamespaceInfo.optional(),
    /** Questions to people that have no answer yet. */
    questions: z.object({ open: z.number().int().nonnegative() }).optional(),
    at: z.iso.datetime(),
  })
  .meta({ id: 'Overview' });
export type Overview = z.infer<typeof Overview>;
