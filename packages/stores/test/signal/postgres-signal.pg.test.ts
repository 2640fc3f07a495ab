import { freshDatabase, startPostgres, waitFor } from '@hypercode/testkit';
import { signalConformance, signalOutageConformance } from '@hypercode/feed/testing';
import { Client } from 'pg';
import { beforeAll, expect, test } from 'vitest';
import { createPostgresSignal } from '../../src/signal/postgres-signal.ts';

let connectionString: string;

beforeAll(async () => {
  connectionString = await freshDatabase();
});

signalConformance('createPostgresSignal', async () => ({
  first: createPostgresSignal({ connectionString }),
  second: createPostgresSignal({ connectionString }),
}));

signalOutageConformance('createPostgresSignal', async () => {
  const server = await startPostgres({ own: true });
  const errors: Error[] = [];
  return {
    first: createPostgresSignal({ connectionString: server.url }),
    second: createPostgresSignal({ connectionString: server.url, onError: (error) => errors.push(error) }),
    server,
    errors,
    close: () => server.close(),
  };
});

test('wakes listeners again when its connection alone is cut', async () => {
  const errors: Error[] = [];
  const signal = createPostgresSignal({ connectionString, onError: (error) => errors.push(error) });
  let calls = 0;
  signal.subscribe('a', () => void calls++);
  await waitFor(() => calls === 1, { what: 'the first connection' });
  await onServer(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'swarm-signal' and datname = current_database()`);
  await waitFor(() => calls === 2, { what: 'the connection after the cut' });
  expect(errors).toHaveLength(1);
  await signal.close();
});

test('ignores what others say on its channel', async () => {
  const signal = createPostgresSignal({ connectionString });
  let calls = 0;
  signal.subscribe('a', () => void calls++);
  await waitFor(() => calls === 1, { what: 'the connection' });
  for (const payload of ['', 'a', '{', '[]', '[1,2]', 'null', '{"channel":"a"}']) {
    await onServer(`select pg_notify('swarm', '${payload}')`);
  }
  await onServer(`select pg_notify('swarm', '["another","a"]')`);
  await waitFor(() => calls > 1, { what: 'the well-formed one' });
  expect(calls).toBe(2);
  await signal.close();
});

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  await client.query(statement);
  await client.end();
}
