// The event bus: admission, deduplicated append, subscriptions, consumer groups, policies. On Redis or on PostgreSQL.
// `Bus` is the one door: what callers publish, read and consume passes the policy there. Its rooms, each of which imports only
// from those before it: store (the ports), postgres and redis (their drivers); policies, admission, appending, subscriptions,
// groups, tracing.
export type { PublishRate } from './admission/admit.ts';
export { type AgentCircuit, type BusCaller, type CircuitOf, sourceOf } from './admission/caller.ts';
export { RefusedEvent } from './appending/check-events.ts';
export { type EventOrigin, originOf } from './appending/event-origin.ts';
export type { EventIntake } from './appending/publishing.ts';
export { Bus, type BusObserver, type BusOptions } from './bus.ts';
export type { GroupItem } from './groups/delivery.ts';
export type { DeathNotice } from './groups/death-reports.ts';
export type { GroupNotice } from './groups/group-steering.ts';
export type { GroupFates, HeldEvent, HeldEventName, HeldEvents } from './store/group-fates.ts';
export type { GroupLimits } from './store/group-store.ts';
export { busSchema } from './database-schema.ts';
export type { PolicySchema } from './policies/policy-table.ts';
export { openPostgresStore } from './postgres/postgres-store.ts';
export { openRedisStore, type RedisStore } from './redis/redis-store.ts';
export type { BusStore } from './store/bus-store.ts';
export type { LogSettings, Retention } from './store/event-log.ts';
export type { SubscriptionItem } from './subscriptions/event-item.ts';
export { readFates, type TracedEvent } from './tracing/group-fate.ts';
