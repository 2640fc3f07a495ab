// A thousand hostile connections of each kind, none with a valid token: an agent publishes beside them, and nothing of them remains.
import { accepted, call, registration } from '@hypercode/core-runtime/testing';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const PROGRAM = fileURLToPath(new URL('hostile-connections.ts', import.meta.url));
const CONNECTIONS = 1000;
const MAX_GROWTH_MIB = 300;
/** Publishes that are measured before, and that are made afterwards. */
const PUBLISHES = 300;
const PACE_MS = 10;

let core: SpawnedCore;
let token: string;
let idle: { sockets: number; rssMib: number; p99Ms: number };

beforeAll(async () => {
  core = await spawnCore();
  ({ token = '' } = accepted(await call(core, 'registry.register', registration('worker'), { token: core.joinToken })));
  // The first warm the core.
  await publishUntil((published) => published === PUBLISHES);
  const before = await publishUntil((published) => published === PUBLISHES);
  idle = { sockets: openSockets(), rssMib: rssMib(), p99Ms: p99(before) };
  report('idle', { rssMib: idle.rssMib, p99Ms: idle.p99Ms });
});
afterAll(() => core?.close());

test.each(['slow headers', 'slow bodies', 'half-open', 'unread answers', 'batches', 'garbage', 'silent WebSockets'])(
  'an agent publishes beside 1,000 hostile connections, and nothing of them remains: %s',
  async (kind) => {
    let largestMib = 0;
    let mostSockets = 0;
    let hasExited = false;
    const hostile = fork(PROGRAM, [new URL(core.url).port, String(CONNECTIONS), kind], { execArgv: [] });
    onTestFinished(() => void hostile.kill('SIGKILL'));
    const exited = once(hostile, 'exit').finally(() => {
      hasExited = true;
    });
    const beside = await publishUntil((published) => {
      largestMib = Math.max(largestMib, rssMib());
      mostSockets = Math.max(mostSockets, openSockets());
      return published > 0 && hasExited;
    });
    expect(await exited).toEqual([0, null]);
    report(kind, { rssMib: largestMib, sockets: mostSockets, p99Ms: p99(beside), ratio: p99(beside) / idle.p99Ms });
    expect(largestMib - idle.rssMib).toBeLessThan(MAX_GROWTH_MIB);
    await waitFor(() => openSockets() <= idle.sockets, { what: 'the connections to have ended', timeoutMs: 40_000 });
    await publishUntil((published) => published === 10);
  },
);

/** Publishes one event after the other until `isOver`; how long each took, in milliseconds. A refusal fails the test. */
async function publishUntil(isOver: (published: number) => boolean): Promise<number[]> {
  const took: number[] = [];
  while (!isOver(took.length)) {
    const begunAtMs = performance.now();
    accepted(await call(core, 'bus.publish', { topic: 'agent.worker.inbox.note', data: {} }, { token }));
    took.push(performance.now() - begunAtMs);
    await delay(PACE_MS);
  }
  return took;
}

function rssMib(): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${core.pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** Sockets that the core has open, of whatever kind. */
function openSockets(): number {
  const folder = `/proc/${core.pid}/fd`;
  return readdirSync(folder).filter((fd) => {
    try {
      return readlinkSync(`${folder}/${fd}`).startsWith('socket:');
    } catch {
      // It was closed meanwhile.
      return false;
    }
  }).length;
}

const p99 = (took: readonly number[]): number =>
  took.toSorted((a, b) => a - b)[Math.floor(took.length * 0.99)] ?? Number.NaN;

function report(what: string, figures: Readonly<Record<string, number>>): void {
  const words = Object.entries(figures).map(([name, figure]) => `${name} ${Math.round(figure * 10) / 10}`);
  console.info(`${what}: ${words.join(', ')}`);
}
