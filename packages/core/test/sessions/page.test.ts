// The dashboard as the core serves it: one page at each of its addresses, and what it may load.
import { temporaryFolder } from '@hypercode/testkit';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, START_TIMEOUT_MS, startTestCore, type TestCore } from '../../testing/core.ts';

const PAGE = '<!doctype html><title>the page</title>';
const folder = temporaryFolder('page');
let core: TestCore;
beforeAll(async () => {
  core = await startTestCore({ ui: join(folder.path, 'dist') });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await core.close();
  await folder.remove();
});

const get = (path: string, headers: Record<string, string> = {}) => core.fetch(path, { token: null, headers });

describe('the page', () => {
  test('is missing until it is built, and the answer says how to build it', async () => {
    const answer = await get('/');
    expect([answer.status, answer.headers.get('content-type')]).toEqual([503, 'text/plain; charset=utf-8']);
    expect(await answer.text()).toContain('pnpm --filter @hypercode/dashboard build');
    await expectProblem(await get('/assets/main.js'), 'NOT_FOUND');
    mkdirSync(join(folder.path, 'dist/assets'), { recursive: true });
    writeFileSync(join(folder.path, 'dist/index.html'), PAGE);
    writeFileSync(join(folder.path, 'dist/icon.svg'), '<svg/>');
    writeFileSync(join(folder.path, 'dist/assets/main-a1.js'), 'export {}');
    writeFileSync(join(folder.path, 'dist/assets/main-a1.js.br'), 'short');
    writeFileSync(join(folder.path, 'secret.txt'), 'secret');
  });

  test.each([
    '/',
    '/needs-you',
    '/agents?ns=default',
    '/agents/ada',
    '/map',
    '/events',
    '/events/01%2F2',
    '/groups',
    '/groups/crew',
    '/plans',
    '/plans/p1',
    '/policy',
    '/tokens',
    '/audit',
    '/system',
  ])('is served at %s, and asked for anew each time', async (path) => {
    const answer = await get(path);
    expect([answer.status, await answer.text()]).toEqual([200, PAGE]);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-cache');
  });

  test('runs no script that stands in it, loads nothing from elsewhere, and stands in no frame', async () => {
    const { headers } = await get('/agents');
    const policy = Object.fromEntries(
      (headers.get('content-security-policy') ?? '').split('; ').map((rule) => [rule.split(' ', 1)[0], rule]),
    );
    expect(policy['default-src']).toBe("default-src 'self'");
    expect(policy['script-src']).toBeUndefined();
    expect(policy['frame-ancestors']).toBe("frame-ancestors 'none'");
    expect(policy['form-action']).toBe("form-action 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
  });

  test('loads files whose names change with their content, which browsers keep, compressed where there is such a file', async () => {
    const answer = await get('/assets/main-a1.js', { 'accept-encoding': 'identity' });
    expect([answer.status, await answer.text()]).toEqual([200, 'export {}']);
    expect(answer.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(answer.headers.get('content-type')).toMatch(/javascript/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
    const small = await fetch(`${core.url}/assets/main-a1.js`, {
      method: 'HEAD',
      headers: { 'accept-encoding': 'br', connection: 'close' },
    });
    expect([small.headers.get('content-encoding'), small.headers.get('content-length')]).toEqual(['br', '5']);
    expect((await get('/icon.svg')).headers.get('content-type')).toBe('image/svg+xml');
  });

  test.each([
    '/assets/../../secret.txt',
    '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/assets/',
    '/assets/none.js',
    '/index.htm',
  ])('gives nothing else: %s', async (path) => {
    const answer = await get(path);
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(await answer.text()).not.toContain('secret');
  });

  test('takes no address of the API', async () => {
    await expectProblem(await get('/v1/agents'), 'UNAUTHENTICATED');
    await expectProblem(await get('/v1/nothing'), 'NOT_FOUND');
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/trpc/whoami')).status).toBe(401);
    expect((await core.fetch('/', { method: 'POST', token: null })).status).toBe(404);
  });
});

test(
  'a core without a dashboard serves none, and no browser signs in',
  async () => {
    const bare = await startTestCore({ ui: null });
    try {
      const headers = { origin: bare.url, 'sec-fetch-site': 'same-origin' };
      await expectProblem(await bare.fetch('/', { token: null }), 'NOT_FOUND');
      const json = { token: bare.adminToken };
      await expectProblem(await bare.fetch('/v1/session', { method: 'POST', token: null, json, headers }), 'NOT_FOUND');
      await expectProblem(await bare.fetch('/v1/session/code', { method: 'POST' }), 'NOT_FOUND');
    } finally {
      await bare.close();
    }
  },
  START_TIMEOUT_MS,
);
