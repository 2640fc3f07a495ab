import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from './death-guard.ts';
import { spawnCore } from './spawn-core.ts';
import { trackLeaks } from './track-leaks.ts';

// A program that keeps the core's contract with its surroundings: its port, its one line, its end on SIGTERM.
const PROGRAM = `
import { createServer } from 'node:http';
const server = createServer((_, response) => response.end(JSON.stringify({ pid: process.pid, env: process.env })));
server.listen(Number(process.env['SWARM_PORT']), '127.0.0.1', () => {
  const address = server.address() as { port: number };
  console.log(JSON.stringify({ level: 'info', msg: \`listening on http://127.0.0.1:\${address.port}\` }));
});
process.on('SIGTERM', () => { console.log('draining'); server.closeAllConnections(); server.close(); });
`;

const folder = temporaryFolder('spawn-core-test');
afterAll(() => folder.remove());

async function program(name: string, source: string): Promise<string> {
  const path = join(folder.path, `${name}.ts`);
  await writeFile(path, source);
  return path;
}

async function ask(url: string): Promise<{ pid: number; env: Record<string, string> }> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  return (await response.json()) as { pid: number; env: Record<string, string> };
}

test('runs the core itself, with an environment of its own', async () => {
  process.env['SWARM_LEASE_MS'] = '1';
  process.env['DATABASE_URL'] = 'postgres://somewhere';
  const core = await spawnCore({
    entry: await program('core', PROGRAM),
    env: { REDIS_URL: '', SWARM_RATE_PUBLISH: '7' },
  });
  delete process.env['SWARM_LEASE_MS'];
  delete process.env['DATABASE_URL'];
  const { pid, env } = await ask(core.url);
  expect(pid).toBe(core.pid);
  expect(env).toMatchObject({
    SWARM_DATA_DIR: core.dataDir,
    SWARM_ADMIN_TOKEN: core.adminToken,
    SWARM_JOIN_TOKEN: core.joinToken,
    SWARM_RATE_PUBLISH: '7',
  });
  for (const name of ['SWARM_LEASE_MS', 'DATABASE_URL', 'REDIS_URL', 'VITEST', 'NODE_ENV']) {
    expect(env).not.toHaveProperty(name);
  }
  await core.close();
  expect(existsSync(core.dataDir)).toBe(false);
  expect(await core.exited).toEqual({ code: 0, signal: null });
  expect(core.output()).toContain('draining');
});

test('comes back on the same port with the same data and tokens after kill -9', async () => {
  const leaks = trackLeaks();
  const core = await spawnCore({ entry: await program('core', PROGRAM), env: { SWARM_PORT: '0' } });
  const before = { url: core.url, pid: core.pid, env: (await ask(core.url)).env };
  core.kill('SIGKILL');
  expect(await core.exited).toEqual({ code: null, signal: 'SIGKILL' });
  await core.restart();
  expect(core.url).toBe(before.url);
  expect(core.pid).not.toBe(before.pid);
  expect((await ask(core.url)).env).toEqual({ ...before.env, SWARM_PORT: new URL(core.url).port });
  await core.restart();
  expect(core.url).toBe(before.url);
  await core.close();
  await leaks.check();
});

test('leaves a data folder that was given', async () => {
  const dataDir = join(folder.path, 'data');
  await writeFile(dataDir, '');
  const core = await spawnCore({ entry: await program('core', PROGRAM), dataDir });
  expect((await ask(core.url)).env['SWARM_DATA_DIR']).toBe(dataDir);
  await core.close();
  expect(existsSync(dataDir)).toBe(true);
});

test('a core that ends at once, or never listens, fails with what it said', async () => {
  const leaks = trackLeaks();
  const ends = await program('ends', "console.error('SWARM_PORT: not a port'); process.exitCode = 2;");
  await expect(spawnCore({ entry: ends })).rejects.toThrow(/ended with 2 before it listened:\nSWARM_PORT: not a port/);
  const hangs = await program('hangs', "console.log('thinking'); setInterval(() => undefined, 1000);");
  await expect(spawnCore({ entry: hangs, startTimeoutMs: 3_000 })).rejects.toThrow(
    /did not listen within 3000 ms:\nthinking/,
  );
  await leaks.check();
});
