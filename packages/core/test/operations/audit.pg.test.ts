// While PostgreSQL takes no writes, acts of operators are refused before they are done, whatever store they would change.
import { ClaimResult, DeadLettersResult } from '@hypercode/contracts';
import { freshDatabase, startRedis, waitFor } from '@hypercode/testkit';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { startTestCore } from '../../testing/core.ts';
import { OPEN_POLICY } from '../sample-inputs.ts';

async function setReadOnly(url: string, isReadOnly: boolean): Promise<void> {
  const client = new Client({ connectionString: url, options: '-c default_transaction_read_only=off' });
  client.on('error', () => {});
  await client.connect();
  const change = isReadOnly ? 'set default_transaction_read_only = on' : 'reset default_transaction_read_only';
  await client.query(`alter database "${new URL(url).pathname.slice(1)}" ${change}`);
  const others = 'datname = current_database() and pid <> pg_backend_pid()';
  await client.query(`select pg_terminate_backend(pid) from pg_stat_activity where ${others}`);
  await client.end();
}

test('dead letters in Redis are not discarded without a record in PostgreSQL', { timeout: 60_000 }, async () => {
  const databaseUrl = await freshDatabase();
  const redis = await startRedis();
  onTestFinished(() => redis.close());
  const core = await startTestCore({ databaseUrl, redisUrl: redis.url, adminToken: 'the-admin-token-of-the-audit' });
  onTestFinished(() => core.close());
  const group = (path: string, json: object) => core.fetch(`/v1/groups/crew/${path}`, { method: 'POST', json });
  const dead = async () =>
    DeadLettersResult.parse(await (await core.fetch('/v1/groups/crew/dead-letters')).json()).deadLetters.length;
  await core.fetch('/v1/policy', { method: 'PUT', json: { policy: OPEN_POLICY } });
  await core.fetch('/v1/events', { method: 'POST', json: { topic: 'a.b', data: 1 } });
  const claim = { topics: ['a.*'], from: 'earliest', maxDeliveries: 1 };
  const { deliveries } = ClaimResult.parse(await (await group('claim', claim)).json());
  await group('nack', { deliveryIds: deliveries.map(({ deliveryId }) => deliveryId) });
  expect(await dead()).toBe(1);
  await setReadOnly(databaseUrl, true);
  const refused = await group('dead-letters/discard', { all: true });
  expect(await refused.json()).toMatchObject({ code: 'UNAVAILABLE', status: 503 });
  expect(await dead()).toBe(1);
  await setReadOnly(databaseUrl, false);
  const discarded = await waitFor(
    async () => {
      const answer = await group('dead-letters/discard', { all: true });
      return answer.ok ? answer.json() : null;
    },
    { what: 'PostgreSQL to take writes again', timeoutMs: 30_000 },
  );
  expect(discarded).toEqual({ count: 1 });
});
