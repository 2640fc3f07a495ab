// Random mutations of valid requests: no answer is a fault of the core, and the core continues to serve.
// `SWARM_TEST_FUZZ_REQUESTS` is their number (default 1,000), `SWARM_TEST_FUZZ_SEED` the first seed (default: made of the
// commit).
import { RegisterResult } from '@hypercode/contracts';
import { commitSeed, temporaryFolder } from '@hypercode/testkit';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, onTestFailed } from 'vitest';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';
import type { Tokens } from './fuzz-calls.ts';
import { FuzzConnection } from './fuzz-connection.ts';
import { bytesOf, requestOf } from './fuzz-mutations.ts';

const REQUESTS = Number(process.env['SWARM_TEST_FUZZ_REQUESTS'] ?? 1000);
/** The seed of the first request; each of the others has the next. */
const FIRST_SEED = Number(process.env['SWARM_TEST_FUZZ_SEED'] ?? commitSeed());
/** So few that the embedded database answers each in time on a busy machine. */
const CONCURRENCY = 8;

/** A dashboard, since its absence is answered with 503. */
const page = temporaryFolder('page');
writeFileSync(join(page.path, 'index.html'), '<!doctype html><title>A page</title>');

/** A core of the file's own: its log has no errors of other tests, and no other test meets the agents and policies of this one. */
let core: TestCore;
let tokens: Tokens;

beforeAll(async () => {
  core = await startTestCore({ ui: page.path });
  const json = { name: 'fuzzed', role: 'worker', version: '1.0.0' };
  const answer = await core.fetch('/v1/agents', { method: 'POST', json });
  const { token: agent = '' } = RegisterResult.parse(await answer.json());
  tokens = { admin: core.adminToken, join: core.joinToken, viewer: core.viewerToken, agent };
}, START_TIMEOUT_MS);
afterAll(async () => {
  await core.close();
  await page.remove();
});

it('mutated requests never end in a fault of the core', { timeout: 600_000 }, async () => {
  onTestFailed(() => console.error(`SWARM_TEST_FUZZ_SEED=${FIRST_SEED} SWARM_TEST_FUZZ_REQUESTS=${REQUESTS}`));
  const failures: string[] = [];
  const statuses = new Map<number | null, number>();
  let sent = 0;
  const worker = async (): Promise<void> => {
    const connection = new FuzzConnection(core.port);
    while (sent < REQUESTS) {
      const seed = FIRST_SEED + sent;
      sent += 1;
      const request = requestOf(seed, tokens);
      const { status, text } = await connection.send(request);
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if ((status !== null && status >= 500) || text.includes('"code":"INTERNAL"')) {
        failures.push(`seed ${seed}: ${bytesOf(request).toString('latin1').slice(0, 2000)}\n=> ${text.slice(0, 2000)}`);
      }
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
  expect(failures.join('\n\n')).toBe('');
  expect(core.log().filter(({ level }) => Number(level) >= 50)).toEqual([]);
  // Many have to reach what they were aimed at, or nothing was tried.
  expect(statuses.get(200)).toBeGreaterThan(REQUESTS / 20);
  expect(statuses.get(400)).toBeGreaterThan(REQUESTS / 20);
  expect(statuses.get(null) ?? 0).toBeLessThan(REQUESTS / 20);

  expect((await core.fetch('/healthz', { token: null })).status).toBe(200);
  expect((await core.fetch('/readyz', { token: null })).status).toBe(200);
  const last = await core.fetch('/v1/agents?namespace=after', {
    method: 'POST',
    json: { name: 'after-all', role: 'a', version: '1.0.0' },
  });
  expect(last.status).toBe(201);
});
