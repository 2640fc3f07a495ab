// An agent whose only way to the core is an HTTP proxy that its environment names, as Node.js reads it (NODE_USE_ENV_PROXY).
import { execFile } from 'node:child_process';
import { createServer, request as requestOf, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { SpawnedCore } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let proxy: Server;
const seen: string[] = [];

beforeAll(async () => {
  core = await spawnCore({});
  const { port } = new URL(core.url);
  const target = { host: '127.0.0.1', port: Number(port) };
  proxy = createServer((asked, answer) => {
    const { pathname, search } = new URL(String(asked.url));
    seen.push(`${asked.method} ${pathname}`);
    const onward = requestOf({ ...target, method: asked.method, path: pathname + search, headers: asked.headers });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    answer.on('close', () => onward.destroy());
    asked.pipe(onward);
  });
  proxy.on('connect', (asked, socket) => {
    seen.push(`CONNECT ${asked.url}`);
    const onward = connect(target, () => socket.write('HTTP/1.1 200 OK\r\n\r\n'));
    onward.pipe(socket).pipe(onward);
    onward.on('error', () => socket.destroy());
    socket.on('error', () => onward.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});
afterAll(async () => {
  proxy?.closeAllConnections();
  await new Promise((resolve) => proxy?.close(resolve));
  await core?.close();
});

test('an agent registers, publishes, listens and follows the registry through it', async () => {
  const program = fileURLToPath(new URL('behind-proxy.ts', import.meta.url));
  const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  const environment = { NODE_USE_ENV_PROXY: '1', HTTP_PROXY: address, http_proxy: address, NO_PROXY: '', no_proxy: '' };
  const args = ['--import', import.meta.resolve('tsx'), program, 'http://core.internal.example:7700', core.joinToken];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, ...environment },
    timeout: 60_000,
  });
  expect(stdout).toBe('done\n');
  expect(seen.filter((line) => !line.startsWith('CONNECT'))).toEqual(
    expect.arrayContaining(['POST /v1/events', 'POST /v1/agents/behind/heartbeat', 'GET /trpc/registry.watch']),
  );
});
