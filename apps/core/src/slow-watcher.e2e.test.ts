// Watchers that stop reading: they cost bounded memory, slow nobody, and are whole again when they read on.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { freshDatabase, type SpawnedCore, spawnCore, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { callBatch, registration } from './e2e/call.ts';
import { heardBehind, holeIn, readChangeLog } from './e2e/change-record.ts';
import { TRANSPORTS } from './e2e/connections.ts';
import { Watcher } from './e2e/watcher.ts';

const run = promisify(execFile);
const MIB = 1024 * 1024;
const PATIENCE = { timeoutMs: 240_000 };

const NAMES = Array.from({ length: 500 }, (_, i) => `agent-${i}`);
/** Calls in one request, and requests under way. */
const BATCH = 50;
const LANES = 4;
/** Every agent changes so often in one load. */
const ROUNDS = 20;
const CHANGES = NAMES.length * ROUNDS;
/** Each change weighs this and about 700 bytes more on the wire. */
const DESCRIPTION_BYTES = 2048;
/**
 * Together they would hold more than 300 MiB if a load were kept for each of them. A batch and the buffers of a
 * connection are less than 2 MiB.
 */
const SLOW_OF_EACH = 5;
const MAX_GROWTH_BYTES = 96 * MIB;

let core: SpawnedCore;
const watchers: Watcher[] = [];

beforeAll(async () => {
  core = await spawnCore({
    env: { DATABASE_URL: await freshDatabase(), SWARM_RATE_REGISTER: '0' },
    startTimeoutMs: 90_000,
  });
});
afterAll(async () => {
  for (const watcher of watchers) watcher.close();
  await core?.close();
});

async function watch(count: number): Promise<Watcher[]> {
  const started = Array.from({ length: count }, () => TRANSPORTS.map((transport) => new Watcher({ core, transport })));
  watchers.push(...started.flat());
  const what = 'new watchers in step';
  await waitFor(() => started.flat().every(({ synced }) => synced > 0), { what, ...PATIENCE });
  return started.flat();
}

async function residentBytes(): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'rss=', '-p', String(core.pid)]);
  return Number(stdout) * 1024;
}

let version = 0;

/** Changes every agent `ROUNDS` times; gives the largest amount of memory that the core took meanwhile. */
async function load(): Promise<number> {
  let peakBytes = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    version += 1;
    const description = `${version} `.padEnd(DESCRIPTION_BYTES, 'text ');
    const registrations = NAMES.map((name) => registration(name, { version: `1.${version}.0`, description }));
    const batches = Array.from({ length: NAMES.length / BATCH }, (_, i) => registrations.slice(i * BATCH, (i + 1) * BATCH));
    const lane = async () => {
      for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
        await callBatch(core, 'registry.register', batch);
        peakBytes = Math.max(peakBytes, await residentBytes());
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }
  return peakBytes;
}

test('watchers that stop reading cost little, slow nobody, and miss nothing', async () => {
  const readers = await watch(1);
  await load();
  const usualBytes = await load();

  const slow = await watch(SLOW_OF_EACH);
  for (const watcher of slow) watcher.pause();
  const head = 2 * CHANGES;
  await load();
  const slowBytes = await load();
  const end = head + 2 * CHANGES;
  expect((slowBytes - usualBytes) / MIB).toBeLessThan(MAX_GROWTH_BYTES / MIB);

  await waitFor(() => readers.every(({ position }) => position >= end), { what: 'the others to hear all', ...PATIENCE });
  for (const { position } of slow) expect(position).toBeLessThan(end);
  for (const { changes, snapshots, ends } of readers) {
    expect(snapshots).toHaveLength(1);
    expect(ends).toBe(0);
    expect(changes).toHaveLength(end);
    expect(holeIn(changes, 0)).toBeNull();
  }

  for (const watcher of slow) watcher.resume();
  await waitFor(() => slow.every(({ position }) => position >= end), { what: 'the slow ones to catch up', ...PATIENCE });
  const log = heardBehind({}, await readChangeLog(core)).slice(head);
  for (const { changes, snapshots } of slow) {
    expect(snapshots.every(({ reset }) => !reset)).toBe(true);
    expect(changes).toEqual(log);
  }
}, 480_000);
