// The life of a core: how it starts, what it says of itself, what it does without its database, and how it ends.
import {
  accepted,
  call,
  connect,
  refusalCode,
  registration,
  send,
  TRANSPORTS,
  Watcher,
} from '@hypercode/core-runtime/testing';
import { freePort, type PostgresServer, type SpawnedCore, startPostgres, waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import manifest from '../../apps/core/package.json' with { type: 'json' };

const PATIENCE = { timeoutMs: 60_000 };

let postgres: PostgresServer;
let databaseUrl: string;
const cores: SpawnedCore[] = [];
const watchers: Watcher[] = [];

beforeAll(async () => {
  postgres = await startPostgres({ own: true });
  databaseUrl = await postgres.createDatabase();
});
afterEach(async () => {
  for (const watcher of watchers.splice(0)) watcher.close();
  await postgres.start();
  await Promise.all(cores.splice(0).map((core) => core.close()));
});
afterAll(() => postgres?.close());

async function start(env: Record<string, string> = {}): Promise<SpawnedCore> {
  const core = await spawnCore({ env: { DATABASE_URL: databaseUrl, ...env } });
  cores.push(core);
  return core;
}

async function get(core: SpawnedCore, path: string): Promise<{ status: number; body: string }> {
  const answer = await send(core, { method: 'GET', path });
  if (!answer.ok) throw new Error(answer.message);
  return answer;
}

describe('the start', () => {
  const bad: [variable: string, env: Record<string, string>, secret: string | null][] = [
    ['SWARM_PORT', { SWARM_PORT: '77000' }, null],
    ['SWARM_LEASE_MS', { SWARM_LEASE_MS: '30s' }, null],
    ['DATABASE_URL', { DATABASE_URL: 'mysql://root:hidden-password@localhost/swarm' }, 'hidden-password'],
    ['SWARM_ADMIN_TOKEN', { DATABASE_URL: 'postgres://localhost/swarm', SWARM_ADMIN_TOKEN: '' }, null],
  ];

  test('with a bad variable ends with one line that names it', async () => {
    const messages = await Promise.all(
      bad.map(async ([, env]) => {
        const outcome = await spawnCore({ env }).catch((error: unknown) => error);
        if (outcome instanceof Error) return outcome.message;
        cores.push(outcome as SpawnedCore);
        return 'it has started';
      }),
    );
    for (const [i, [variable, , secret]] of bad.entries()) {
      expect(messages[i]).toMatch(new RegExp(`^The core ended with 1 before it listened:\n${variable} [^\n]+\n$`));
      if (secret !== null) expect(messages[i]).not.toContain(secret);
    }
  });

  test('on a port that is taken ends with one line', async () => {
    const port = await freePort();
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    try {
      await expect(start({ SWARM_PORT: String(port) })).rejects.toThrow(
        new RegExp(`ended with 1 before it listened:\n[^\n]*EADDRINUSE[^\n]*${port}[^\n]*\n$`),
      );
    } finally {
      other.close();
    }
  });

  test('waits for a PostgreSQL that is away, and then works', async () => {
    await postgres.stop();
    // In the database's place: a server that hangs up shows that the core has tried.
    const { hostname, port } = new URL(databaseUrl);
    const refusing = createServer((socket) => socket.destroy()).listen(Number(port), hostname);
    await once(refusing, 'listening');
    const starting = start();
    starting.catch(() => undefined);
    await once(refusing, 'connection');
    refusing.close();
    await postgres.start();

    const core = await starting;
    expect(core.output()).toContain('PostgreSQL (DATABASE_URL) does not answer yet');
    accepted(await call(core, 'registry.register', registration('patient')));
    expect((await get(core, '/readyz')).status).toBe(200);
  });

  test('by the script of the package has no process in between, which would kill a core that is slow to handle a signal', async () => {
    const { PATH, HOME } = process.env;
    const binaries = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url));
    const core = spawn('sh', ['-c', `exec ${manifest.scripts.start}`], {
      cwd: fileURLToPath(new URL('../../apps/core', import.meta.url)),
      env: {
        PATH: `${binaries}:${PATH}`,
        HOME,
        DATABASE_URL: databaseUrl,
        SWARM_PORT: '0',
        SWARM_ADMIN_TOKEN: crypto.randomUUID(),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const release = guardProcess(core.pid ?? 0);
    const exited = once(core, 'exit').finally(release);
    let output = '';
    core.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      const pid = await waitFor(() => /"pid":(\d+).*"listening on /.exec(output)?.[1], {
        what: 'the core to listen',
        ...PATIENCE,
      });
      expect(Number(pid)).toBe(core.pid);
    } finally {
      core.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    }
  });
});

test('without its database a core says so, goes on for the agents that it knows, and recovers by itself', async () => {
  const core = await start({ SWARM_RATE_REGISTER: '0' });
  const known = accepted(await call(core, 'registry.register', registration('known'))).token ?? '';
  accepted(await call(core, 'registry.heartbeat', {}, { token: known }));
  const unknown = accepted(await call(core, 'registry.register', registration('unknown'))).token ?? '';
  expect((await get(core, '/readyz')).status).toBe(200);

  await postgres.stop();
  const { body } = await waitFor(
    async () => {
      const answer = await get(core, '/readyz');
      return answer.status === 503 ? answer : null;
    },
    { what: '/readyz 503', ...PATIENCE },
  );
  expect(JSON.parse(body)).toMatchObject({ status: 'unavailable', reason: expect.stringContaining('database') });
  expect((await get(core, '/healthz')).status).toBe(200);
  for (let beats = 0; beats < 20; beats += 1) {
    expect(refusalCode(await call(core, 'registry.heartbeat', {}, { token: known }))).toBeNull();
  }
  // Nothing of what cannot be known is reported as "not there".
  expect(refusalCode(await call(core, 'registry.heartbeat', {}, { token: unknown }))).toBe('UNAVAILABLE');
  expect(refusalCode(await call(core, 'registry.register', registration('new')))).toBe('UNAVAILABLE');
  expect(refusalCode(await call(core, 'registry.get', { name: 'known' }))).toBe('UNAVAILABLE');
  expect(refusalCode(await call(core, 'registry.history', { name: 'known' }))).toBe('UNAVAILABLE');
  for (const transport of TRANSPORTS) watchers.push(new Watcher({ core, transport }));
  await waitFor(() => watchers.every(({ refusals }) => refusals.length > 0), { what: 'watches refused', ...PATIENCE });

  await postgres.start();
  await waitFor(async () => (await get(core, '/readyz')).status === 200, { what: '/readyz 200', ...PATIENCE });
  accepted(await call(core, 'registry.heartbeat', {}, { token: unknown }));
  await waitFor(() => watchers.every(({ synced }) => synced > 0), { what: 'watches to recover', ...PATIENCE });
  for (const { refusals } of watchers) expect(new Set(refusals)).toEqual(new Set(['UNAVAILABLE']));
});

test('SIGTERM ends streams, lets an answer in flight finish, exits 0 and frees the port', async () => {
  const core = await start();
  const first = accepted(await call(core, 'registry.register', registration('first')));
  const revision = first.agent.revision + 1;
  for (const transport of TRANSPORTS) watchers.push(new Watcher({ core, transport }));
  await waitFor(() => watchers.every(({ synced }) => synced > 0), { what: 'watchers in step', ...PATIENCE });

  // Another session holds the revision counter, so the registration takes until it is let go.
  const holder = new Client({ connectionString: databaseUrl });
  await holder.connect();
  try {
    await holder.query('begin');
    await holder.query("select revision from namespaces where namespace = 'default' for update");
    const inFlight = call(core, 'registry.register', registration('second'));
    await waitFor(
      async () => {
        const { rowCount } = await holder.query(
          "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
        );
        return rowCount === 1;
      },
      { what: 'the registration to wait for the counter' },
    );
    core.kill('SIGTERM');
    await waitFor(() => watchers.every(({ ends }) => ends > 0), { what: 'all streams to end', timeoutMs: 5_000 });
    await holder.query('rollback');
    expect(accepted(await inFlight)).toMatchObject({ outcome: 'created', agent: { name: 'second', revision } });
  } finally {
    await holder.end();
  }
  expect(await core.exited).toEqual({ code: 0, signal: null });
  for (const { returned, refusals } of watchers) expect({ returned, refusals }).toEqual({ returned: 0, refusals: [] });

  const successor = createServer().listen(Number(new URL(core.url).port), '127.0.0.1');
  await once(successor, 'listening');
  successor.close();

  await core.restart();
  expect(accepted(await call(core, 'registry.get', { name: 'second' })).name).toBe('second');
  await waitFor(() => watchers.every(({ position }) => position >= revision), {
    what: 'watchers to resume',
    ...PATIENCE,
  });
  for (const { snapshots, changes } of watchers) {
    expect(snapshots).toHaveLength(1);
    expect(changes).toMatchObject([{ revision, name: 'second' }]);
  }
});

test('no token is ever logged, at any level', async () => {
  const core = await start({ SWARM_LOG_LEVEL: 'trace', SWARM_RATE_REGISTER: '0' });
  const { token: agentToken = '' } = accepted(await call(core, 'registry.register', registration('speaker')));
  const operator = accepted(await call(core, 'tokens.create', { kind: 'viewer', name: 'reader' })).token;
  const secrets = [
    core.adminToken,
    core.joinToken,
    agentToken,
    operator,
    'swagent_not-a-known-token',
    'bad-token-in-a-url',
  ];
  accepted(await call(core, 'registry.register', registration('joiner'), { token: core.joinToken }));
  for (const token of secrets) {
    await call(core, 'registry.heartbeat', {}, { token });
    await call(core, 'registry.get', { name: 'speaker' }, { token });
    await call(core, 'registry.register', { name: token }, { token });
    const params = encodeURIComponent(JSON.stringify({ token }));
    await get(core, `/trpc/registry.get?input=%7B%22name%22%3A%22speaker%22%7D&connectionParams=${params}`);
    await get(core, `/nowhere?token=${token}`);
    await get(core, `/trpc/registry.nothing?connectionParams=${params}`);
    await get(core, `/v1/agents?access_token=${token}&limit=none`);
    await send(core, { method: 'POST', path: '/trpc/registry.register', token, body: `{"name": ${token}` });
    await send(core, { method: 'POST', path: '/v1/agents', token, body: `{"name": "${token}", "role": [` });
    for (const transport of TRANSPORTS) {
      await new Promise<void>((resolve) => {
        const target = { core: { url: core.url, adminToken: token }, namespace: 'default', filter: {} };
        const connection = connect(transport, target, {
          value: () => connection.close(),
          refused: () => connection.close(),
          returned: () => undefined,
          ended: resolve,
        });
      });
    }
  }
  // With the database away, failures are logged with their causes.
  await postgres.stop();
  for (const token of secrets) await call(core, 'registry.register', registration('later'), { token });
  await postgres.start();
  await core.restart();

  const output = core.output();
  // Both starts are in it, so it is whole.
  expect(output.match(/listening on/g)).toHaveLength(2);
  expect(output).toContain('"msg":"request"');
  const password = new URL(databaseUrl).password;
  expect([...secrets, password].filter((secret) => output.includes(secret))).toEqual([]);
});
