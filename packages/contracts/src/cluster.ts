// The replicas and stores of a swarm, and its namespaces.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { Name, Namespace } from './name.ts';

const Count = z.number().int().nonnegative();

/** The namespace is optional: without it, a call is about everything that the token reaches. */
const ofNamespace = {
  namespace: Namespace.optional().describe(
    'Refused with FORBIDDEN unless the token has access to this namespace. Default: every namespace that the token has access to.',
  ),
};

/** One process of the core, as it reported itself last. */
export const Replica = z
  .object({
    /** New for each start. */
    id: z.uuid(),
    /** Version of the core. */
    version: z.string(),
    /** Name of its machine. */
    host: z.string(),
    startedAt: z.iso.datetime(),
    /** A replica reports itself every five seconds. One that has not done so for a minute is no longer listed. */
    seenAt: z.iso.datetime(),
    /** Streams that are open at it. */
    streams: z.object({ watch: Count, subscribe: Count, consume: Count }),
    /** Memory of the process (resident set size). */
    rssBytes: Count,
    /** How late timers of the process were over the last five seconds, in milliseconds: 99 of 100 were earlier. */
    eventLoopP99Ms: z.number().nonnegative(),
  })
  .meta({ id: 'Replica' });
export type Replica = z.infer<typeof Replica>;

/** A store, as the replica that answers sees it. */
export const StoreStatus = z
  .object({
    kind: z.enum(['postgres', 'pglite', 'redis', 'redis-cluster']),
    /** Null: it has not answered yet. */
    version: z.string().nullable(),
    /** Whether it answers and takes writes. */
    ok: z.boolean(),
    /** How long it took to answer just now, in milliseconds; null: it did not. */
    latencyMs: z.number().nonnegative().nullable(),
  })
  .meta({ id: 'StoreStatus' });
export type StoreStatus = z.infer<typeof StoreStatus>;

export const ClusterStatusInput = z.object({ ...ofNamespace });
export type ClusterStatusInput = z.output<typeof ClusterStatusInput>;
export const ClusterStatus = z
  .object({
    /** By their start. While the database is unavailable, only the replica that answers. */
    replicas: z.array(Replica),
    stores: z.object({ database: StoreStatus, events: StoreStatus }),
    /** Namespaces whose mass-failure guard holds; to a token of one namespace, only that one. */
    suspended: z.array(Namespace),
  })
  .meta({ id: 'ClusterStatus' });
export type ClusterStatus = z.infer<typeof ClusterStatus>;

export const NamespaceInfo = z
  .object({
    namespace: Name,
    agents: z.object({
      total: Count,
      healthy: Count,
      unhealthy: Count,
      /** Agents whose circuit is open. */
      open: Count,
    }),
    /** Of the registry. */
    revision: Count,
    /** What the log of events keeps. */
    events: z.object({ kept: Count, bytes: Count }),
    /** Consumer groups. */
    groups: Count,
  })
  .meta({ id: 'NamespaceInfo' });
export type NamespaceInfo = z.infer<typeof NamespaceInfo>;

export const NamespacesInput = z.object({
  ...ofNamespace,
  limit: z
    .number()
    .int()
    .min(1)
    .max(LIMITS.namespacesPage)
    .default(LIMITS.namespacesPage)
    .describe('Maximum number of namespaces on a page.'),
  cursor: z.string().max(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type NamespacesInput = z.output<typeof NamespacesInput>;
export const NamespacesResult = z
  .object({
    /** By name. */
    namespaces: z.array(NamespaceInfo),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'NamespacesResult' });
export type NamespacesResult = z.infer<typeof NamespacesResult>;
