// The stores as the first schema left them, and what must be in them after an upgrade.
import {
  ClaimResult,
  DeadLettersResult,
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

const pathOf = (name: string): string => fileURLToPath(new URL(`first-schema/${name}`, import.meta.url));

export const REDIS_SNAPSHOT = pathOf('redis.rdb');
export const postgresDump = (): string => readFileSync(pathOf('postgres.sql'), 'utf8');

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
});
export type Seeded = z.infer<typeof Seeded>;

export const seeded = z
  .object({ onRedis: Seeded, onPostgres: Seeded })
  .parse(JSON.parse(readFileSync(pathOf('seeded.json'), 'utf8')));

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

  // Its roles keep every group, which nothing protected then.
  const policy = Policy.parse(await call('/v1/policy'));
  for (const role of [policy.default, ...Object.values(policy.roles)]) expect(role.consume).toEqual(['*']);

  // The policy that was stored lets a coder publish everything, and the log goes on where it ended.
  const event = { topic: 'build.finished', data: { after: 'the upgrade' } };
  const published = PublishManyResult.parse(await call('/v1/events', [event], then.tokens.ada));
  const [last = { id: '', error: undefined }] = published.results;
  if (!('position' in last)) throw new Error(JSON.stringify(last));
  const sequenceOf = (position: string): number => Number.parseInt(position.split('-')[1] ?? '', 36);
  expect(sequenceOf(last.position)).toBe(then.positions.length + 1);

  // The acknowledged event and the dead letter are delivered to no member; everything that was unread is.
  const { groups } = GroupsResult.parse(await call('/v1/groups'));
  expect(groups).toMatchObject([{ group: 'testers', maxDeliveries: 2, ackDeadlineMs: 3_600_000, deadLetters: 1 }]);
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
}
