// The stores as former releases left them, and what must be in them after an upgrade.
import {
  ClaimResult,
  DeadLettersResult,
  EventTrace,
  GetGroupResult,
  GroupsResult,
  Policy,
  PublishManyResult,
  QueryResult,
  SettleResult,
} from '@hypercode/contracts';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { z } from 'zod';
import type { TestCore, TestCoreOptions } from '../../testing/core.ts';

const Seeded = z.object({
  namespace: z.string(),
  tokens: z.object({ ada: z.string(), bob: z.string(), join: z.string() }),
  positions: z.array(z.string()),
  ids: z.array(z.string()),
  acked: z.string(),
  waiting: z.string(),
  dead: z.string(),
  inFlight: z.string(),
  agents: z.array(z.looseObject({ id: z.string(), name: z.string(), version: z.string(), specRevision: z.int() })),
  /** Absent: the policy of then had no rules for groups. */
  policy: z.object({ roles: z.record(z.string(), z.looseObject({})), default: z.looseObject({}) }).optional(),
  /** A group that an operator had steered. */
  movers: z.object({ groupId: z.string(), inFlight: z.string(), acked: z.array(z.string()) }).optional(),
});
export type Seeded = z.infer<typeof Seeded>;

const SeededStores = z.object({ onRedis: Seeded, onPostgres: Seeded });

export interface FormerStores {
  readonly name: string;
  /** The path of a dump of Redis. */
  readonly snapshot: string;
  /** The statements that restore the database. */
  readonly dump: () => string;
  readonly seeded: z.infer<typeof SeededStores>;
}

export const FORMER_STORES: readonly FormerStores[] = ['first-schema', 'release-4'].map((name) => {
  const pathOf = (file: string): string => fileURLToPath(new URL(`${name}/${file}`, import.meta.url));
  return {
    name,
    snapshot: pathOf('redis.rdb'),
    dump: () => readFileSync(pathOf('postgres.sql'), 'utf8'),
    seeded: SeededStores.parse(JSON.parse(readFileSync(pathOf('seeded.json'), 'utf8'))),
  };
});

const TEN_YEARS_MS = 315_360_000_000;

/** Nothing of what was written then is too old for these. */
export const PATIENT: TestCoreOptions = {
  expireAfterMs: TEN_YEARS_MS,
  changelogMaxAgeMs: TEN_YEARS_MS,
  eventsMaxAgeMs: TEN_YEARS_MS,
};

/** The settings that the group was made with. */
const GROUP = { topics: ['build.*'], ackDeadlineMs: 3_600_000, maxDeliveries: 2 };

/** Expects agents, tokens, policy, events and the group of a namespace as they were, and goes on with them. */
export async function expectSeeded(core: TestCore, then: Seeded): Promise<void> {
  const call = async (path: string, json?: unknown, token?: string): Promise<unknown> => {
    const answer = await core.fetch(`${path}${path.includes('?') ? '&' : '?'}namespace=${then.namespace}`, {
      method: json === undefined ? 'GET' : 'POST',
      ...(json === undefined ? {} : { json }),
      ...(token === undefined ? {} : { token }),
    });
    const body: unknown = await answer.json();
    expect(answer.ok, `${path}: ${JSON.stringify(body)}`).toBe(true);
    return body;
  };

  const { agents } = QueryResult.parse(await call('/v1/agents'));
  const specOf = ({ id, name, version, specRevision }: Seeded['agents'][number]) => ({
    id,
    name,
    version,
    specRevision,
  });
  expect(agents.map(specOf)).toEqual(then.agents.map(specOf));
  expect(QueryResult.parse(await call('/v1/agents', undefined, then.tokens.bob)).agents).toHaveLength(2);

  const policy = Policy.parse(await call('/v1/policy'));
  if (then.policy !== undefined) expect(policy).toMatchObject(then.policy);
  // Its roles keep every group, which nothing protected then.
  else for (const role of [policy.default, ...Object.values(policy.roles)]) expect(role.consume).toEqual(['*']);

  // The policy that was stored lets a coder publish everything, and the log goes on where it ended.
  const event = { topic: 'build.finished', data: { after: 'the upgrade' } };
  const published = PublishManyResult.parse(await call('/v1/events', [event], then.tokens.ada));
  const [last = { id: '', error: undefined }] = published.results;
  if (!('position' in last)) throw new Error(JSON.stringify(last));
  const [epoch, sequence = ''] = last.position.split('-');
  expect(then.positions[0]?.split('-')[0]).toBe(epoch);
  expect(Number.parseInt(sequence, 36)).toBeGreaterThan(then.positions.length);

  // The acknowledged event and the dead letter are delivered to no member; everything that was unread is.
  const { groups } = GroupsResult.parse(await call('/v1/groups'));
  const testers = groups.find(({ group }) => group === 'testers');
  expect(testers).toMatchObject({ maxDeliveries: 2, ackDeadlineMs: 3_600_000, deadLetters: 1 });
  const { settled } = SettleResult.parse(await call('/v1/groups/testers/ack', { deliveryIds: [then.inFlight] }));
  expect(settled).toBe(1);
  const { deliveries } = ClaimResult.parse(
    await call('/v1/groups/testers/claim', { ...GROUP, max: 100, maxInFlight: 100, consumer: 'after', waitMs: 0 }),
  );
  const handed = new Set(deliveries.map(({ position }) => position));
  for (const position of [...then.positions.slice(4), last.position]) expect(handed).toContain(position);
  for (const position of [then.positions[0], then.positions[2], then.positions[3]])
    expect(handed).not.toContain(position);
  const { deadLetters } = DeadLettersResult.parse(await call('/v1/groups/testers/dead-letters'));
  expect(deadLetters).toMatchObject([
    { position: then.positions[2], history: [{ reason: 'no' }, { reason: 'no again' }] },
  ]);
  if (then.movers !== undefined) await expectMovers(call, then, then.movers);
}

/** Expects the group as an operator left it: paused, with other settings, and set back to after the third event. */
async function expectMovers(
  call: (path: string, json?: unknown) => Promise<unknown>,
  { positions, ids }: Seeded,
  { groupId, inFlight, acked }: NonNullable<Seeded['movers']>,
): Promise<void> {
  const claim = async () =>
    ClaimResult.parse(
      await call('/v1/groups/movers/claim', { groupId, max: 100, maxInFlight: 100, consumer: 'after' }),
    );
  const { group } = GetGroupResult.parse(await call('/v1/groups/movers'));
  expect(group).toMatchObject({
    groupId,
    settings: { version: 2, maxDeliveries: 7 },
    paused: { reason: 'a deployment' },
  });
  expect(await claim()).toMatchObject({ deliveries: [], paused: true });
  await call('/v1/groups/movers/resume', {});
  const { deliveries } = await claim();
  const handed = deliveries.map(({ position }) => position);
  expect(new Set(handed).size).toBe(handed.length);
  for (const position of positions.slice(3, 5)) expect(handed).toContain(position);
  for (const position of positions.slice(6)) expect(handed).toContain(position);
  for (const position of positions.slice(0, 3)) expect(handed).not.toContain(position);
  // An acknowledgement of then is of an earlier life; what was in flight counts.
  const settledBy = async (deliveryIds: string[]) =>
    SettleResult.parse(await call('/v1/groups/movers/ack', { deliveryIds })).settled;
  expect(await settledBy(acked)).toBe(0);
  expect(await settledBy([inFlight])).toBe(1);

  const stateOf = async (id: string | undefined) => {
    const { groups } = EventTrace.parse(await call(`/v1/events/${id}/trace`));
    return groups.find((fate) => fate.group === 'movers')?.state;
  };
  expect([await stateOf(ids[0]), await stateOf(ids[3]), await stateOf(ids[5])]).toEqual([
    'unknown',
    'in_flight',
    'acked',
  ]);
}
