// Watchers that stop reading: they cost bounded memory, slow nobody, and are whole again when they read on.
import {
  callBatch,
  expectedChanges,
  holeIn,
  readChangeLog,
  registration,
  type Transport,
  TRANSPORTS,
  Watcher,
} from '@hypercode/core-runtime/testing';
import { freshDatabase, type SpawnedCore, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { INSPECTED, liveMib } from './live-memory.ts';

const PATIENCE = { timeoutMs: 240_000 };

const NAMES = Array.from({ length: 500 }, (_, i) => `agent-${i}`);
/** Calls in one request, and requests under way. */
const BATCH = 50;
const LANES = 4;
/** How often every agent changes in one load. */
const ROUNDS = 12;
/** Each change weighs this and about 700 bytes more on the wire. */
const DESCRIPTION_BYTES = 4096;
/**
 * A load is 28 MiB on the wire, of which the kernel takes up to 10 for a connection that does not read. If the core kept
 * the rest, these would make it hold more than 100 MiB: SSE shares its frames by format, WebSocket cannot.
 */
const SLOW: readonly Transport[] = [
  ...(['trpc-sse', 'trpc-sse', 'rest-sse', 'rest-sse'] as const),
  ...Array.from({ length: 5 }, () => 'websocket' as const),
];
const MAX_GROWTH_MIB = 20;

let core: SpawnedCore;
const watchers: Watcher[] = [];

beforeAll(async () => {
  core = await spawnCore({
    env: { DATABASE_URL: await freshDatabase(), SWARM_RATE_REGISTER: '0', NODE_OPTIONS: INSPECTED },
  });
});
afterAll(async () => {
  for (const watcher of watchers) watcher.close();
  await core?.close();
});

async function watch(transports: readonly Transport[]): Promise<Watcher[]> {
  const started = transports.map((transport) => new Watcher({ core, transport }));
  watchers.push(...started);
  await waitFor(() => started.every(({ synced }) => synced > 0), { what: 'new watchers in step', ...PATIENCE });
  return started;
}

/** The newest revision. */
let head = 0;

/** Changes every agent `rounds` times. */
async function load(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const version = `1.${head}.0`;
    const description = `${head} `.padEnd(DESCRIPTION_BYTES, 'text ');
    const registrations = NAMES.map((name) => registration(name, { version, description }));
    const batches = Array.from({ length: NAMES.length / BATCH }, (_, i) =>
      registrations.slice(i * BATCH, (i + 1) * BATCH),
    );
    const lane = async () => {
      for (let batch = batches.pop(); batch !== undefined; batch = batches.pop()) {
        await callBatch(core, 'registry.register', batch);
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    head += NAMES.length;
  }
}

const untilAllHaveHeard = (who: Watcher[]) =>
  waitFor(() => who.every(({ position }) => position >= head), {
    what: `revision ${head} to be received`,
    ...PATIENCE,
  });

test('watchers that stop reading cost little, slow nobody, and miss nothing', async () => {
  const readers = await watch(TRANSPORTS);
  await load(ROUNDS);
  await untilAllHaveHeard(readers);
  const usualMib = await liveMib(core.output());

  const from = head;
  const slow = await watch(SLOW);
  for (const watcher of slow) watcher.pause();
  await load(ROUNDS);
  await untilAllHaveHeard(readers);
  const slowMib = await liveMib(core.output());
  expect(slowMib - usualMib).toBeLessThan(MAX_GROWTH_MIB);
  for (const { position } of slow) expect(position).toBeLessThan(head);
  for (const { changes, snapshots, ends } of readers) {
    expect({ snapshots: snapshots.length, ends, changes: changes.length }).toEqual({
      snapshots: 1,
      ends: 0,
      changes: head,
    });
    expect(holeIn(changes, 0)).toBeNull();
  }

  for (const watcher of slow) watcher.resume();
  await untilAllHaveHeard(slow);
  const log = expectedChanges({}, await readChangeLog(core)).slice(from);
  for (const { changes, snapshots } of slow) {
    expect(snapshots.every(({ reset }) => !reset)).toBe(true);
    expect(changes).toEqual(log);
  }
}, 480_000);

test('watchers that stop reading do not keep a core from ending, and go on with the next one', async () => {
  for (const watcher of watchers.splice(0)) watcher.close();
  const from = head;
  const slow = await watch(TRANSPORTS);
  for (const watcher of slow) watcher.pause();
  await load(ROUNDS / 2);
  for (const { position } of slow) expect(position).toBeLessThan(head);
  core.kill('SIGTERM');
  expect(await core.exited).toEqual({ code: 0, signal: null });
  await core.restart();
  for (const watcher of slow) watcher.resume();
  await untilAllHaveHeard(slow);
  for (const { changes, returned } of slow) {
    expect({ changes: changes.length, hole: holeIn(changes, from), returned }).toEqual({
      changes: head - from,
      hole: null,
      returned: 0,
    });
  }
}, 480_000);
