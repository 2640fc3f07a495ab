// The commands about events on a real core: what they print, how they end, and that nothing is lost or there twice.
import { startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { temporaryFolder, waitFor } from '@hypercode/testkit';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startSwarm, swarm, type SwarmEnd } from './swarm-process.ts';

const folder = temporaryFolder('cli-events');
let core: TestCore;
let client: SwarmClient;
let namespace: string;
let env: Record<string, string>;

beforeAll(async () => {
  core = await startTestCore();
}, START_TIMEOUT_MS);
afterAll(async () => {
  await client?.close();
  await core.close();
  await folder.remove();
});
beforeEach(async () => {
  await client?.close();
  namespace = core.freshNamespace();
  client = createSwarmClient({ url: core.url, token: core.adminToken, namespace });
  env = { SWARM_URL: core.url, SWARM_TOKEN: core.adminToken, SWARM_NAMESPACE: namespace };
});

const fileOf = (name: string): string => join(folder.path, name);

/** Runs it with this on its stdin. */
async function swarmWith(words: readonly string[], input: string): Promise<SwarmEnd> {
  const child = startSwarm(words, env);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin?.end(input);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}

/** What most commands print of an event. */
interface Printed {
  readonly event: { readonly topic: string; readonly data: { readonly n: unknown } };
}
const objects = (stdout: string): Printed[] =>
  stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Printed);

async function publishMany(count: number, topic = 'numbers.counted'): Promise<void> {
  for (let at = 0; at < count; at += 500) {
    const events = Array.from({ length: Math.min(500, count - at) }, (_, index) => ({
      topic,
      data: { n: at + index },
    }));
    await client.bus.publishMany({ events });
  }
}

describe('events pub', () => {
  test('publishes one event from its arguments', async () => {
    const id = '0190f1d2-0000-7000-8000-0000000000aa';
    const words = [
      'events',
      'pub',
      'build.requested',
      '{"branch":"main"}',
      '--id',
      id,
      '--correlation',
      'c1',
      '--json',
    ];
    const first = await swarm(words, env);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(objects(first.stdout)).toMatchObject([{ id, duplicate: false }]);
    expect(objects((await swarm(words, env)).stdout)).toMatchObject([{ id, duplicate: true }]);
    const { events } = await client.bus.read({ topics: ['>'] });
    expect(events.map(({ event }) => event)).toMatchObject([{ id, data: { branch: 'main' }, correlationId: 'c1' }]);
  });

  test('publishes the lines of stdin in their order, and names those that are refused', async () => {
    const lines = [
      { topic: 'a.b', data: 1 },
      { topic: 'not a topic', data: 2 },
      { topic: 'a.c', data: [3] },
    ];
    const end = await swarmWith(['events', 'pub', '--file', '-'], lines.map((line) => JSON.stringify(line)).join('\n'));
    expect(end.code).toBe(1);
    expect(end.stderr).toMatch(/line 2 was refused: .*\(INVALID_INPUT\)/);
    expect(end.stderr).toMatch(/published 2 events, \d+ a second; 1 were refused/);
    const { events } = await client.bus.read({ topics: ['>'] });
    expect(events.map(({ event }) => event.data)).toEqual([1, [3]]);
  });

  test('publishes each line as the data of a topic', async () => {
    const file = fileOf('data.jsonl');
    writeFileSync(file, Array.from({ length: 1_200 }, (_, n) => `${JSON.stringify({ n })}\n`).join(''));
    expect(await swarm(['events', 'pub', 'rows.read', '--file', file], env)).toMatchObject({ code: 0, stdout: '' });
    const { topics } = await client.bus.topics();
    expect(topics).toMatchObject([{ topic: 'rows.read', count: 1_200 }]);
  });

  test('refuses what it cannot publish, each with its exit code', async () => {
    expect(await swarm(['events', 'pub', 'a.b', '{'], env)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('not JSON'),
    });
    expect(await swarm(['events', 'pub'], env)).toMatchObject({ code: 2 });
    expect(await swarm(['events', 'pub', 'a.b', '12345678901234567890'], env)).toMatchObject({ code: 2 });
    expect(await swarm(['events', 'pub', 'system.a', '1'], env)).toMatchObject({ code: 4 });
    expect(await swarm(['events', 'pub', 'a.b'], { ...env, SWARM_TOKEN: core.viewerToken })).toMatchObject({ code: 4 });
    expect(await swarm(['events', 'pub', 'a.b'], { ...env, SWARM_URL: 'http://127.0.0.1:1' })).toMatchObject({
      code: 3,
    });
    expect(await swarmWith(['events', 'pub', '--file', '-'], '{}\n')).toMatchObject({ code: 2 });
  });
});

describe('reading events', () => {
  test('takes the filters of the API, and says what was searched when there is nothing', async () => {
    await publishMany(3);
    await client.bus.publish({ topic: 'other.topic', data: '\u001b[31mred\u202e', correlationId: 'c7' });
    const newest = await swarm(['events', 'read', '--newest', '--limit', '2', '--json'], env);
    expect(objects(newest.stdout).map(({ event }) => event.topic)).toEqual(['other.topic', 'numbers.counted']);
    expect(newest.stderr).toContain('go on with --before');
    const page = await swarm(['events', 'read', 'numbers.*', '--all', '--json'], env);
    expect(objects(page.stdout).map(({ event }) => event.data.n)).toEqual([0, 1, 2]);
    const shown = await swarm(['events', 'read', '--correlation', 'c7'], env);
    expect(shown.stdout).toContain(String.raw`\u001b[31mred\u202e`);
    expect(shown.stdout).not.toContain('\u001b');
    const none = await swarm(['events', 'read', 'none.*', '--since', '1h'], env);
    expect(none).toMatchObject({ code: 0, stdout: '', stderr: expect.stringMatching(/no events of none\.\* since/) });
    expect(await swarm(['events', 'read', '--since', 'never'], env)).toMatchObject({ code: 2 });
  });

  test('finds an event by its id', async () => {
    const { id } = await client.bus.publish({ topic: 'a.b', data: 1 });
    const found = await swarm(['events', 'find', id, '--json'], env);
    expect(objects(found.stdout)).toMatchObject([{ event: { id, topic: 'a.b' }, appendedAt: expect.any(String) }]);
    const missing = await swarm(['events', 'find', '0190f1d2-0000-7000-8000-000000000001'], env);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
  });

  test('the tail shows the last events, and follows new ones until Ctrl-C', async () => {
    await publishMany(20);
    const child = startSwarm(['events', 'tail', '-f', 'numbers.*', '--last', '2', '--json'], env);
    let stdout = '';
    child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    const numbers = (): unknown[] =>
      objects(stdout.slice(0, stdout.lastIndexOf('\n') + 1)).map(({ event }) => event.data.n);
    await waitFor(() => numbers().length === 2, { what: 'the last two events', timeoutMs: 30_000 });
    await client.bus.publish({ topic: 'other.topic', data: {} });
    await client.bus.publish({ topic: 'numbers.counted', data: { n: 'new' } });
    await waitFor(() => numbers().length === 3, { what: 'the new event', timeoutMs: 30_000 });
    child.kill('SIGINT');
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect({ code, numbers: numbers() }).toEqual({ code: 130, numbers: [18, 19, 'new'] });
  });

  test('the tail of a time shows all events since then', async () => {
    await publishMany(700);
    const { stdout } = await swarm(['events', 'tail', '--since', '10m', '--json'], env);
    expect(objects(stdout).map(({ event }) => event.data.n)).toEqual(Array.from({ length: 700 }, (_, n) => n));
  });
});

describe('events req', () => {
  test('prints the answer that has the same correlation', async () => {
    const listener = client.on('sum.asked', (event) =>
      client.publish(
        'sum.answered',
        { sum: 3 },
        { ...(event.correlationId && { correlationId: event.correlationId }) },
      ),
    );
    await listener.attached;
    const end = await swarm(['events', 'req', 'sum.asked', '[1,2]', '--timeout', '30s', '--json'], env);
    expect(end).toMatchObject({ code: 0, stderr: '' });
    expect(objects(end.stdout)).toMatchObject([{ event: { topic: 'sum.answered', data: { sum: 3 } } }]);
    listener.stop();
  });

  test('ends with 1 when no answer comes, and says how to find out why', async () => {
    const end = await swarm(['events', 'req', 'sum.asked', '[1,2]', '--timeout', '200ms'], env);
    expect(end).toMatchObject({ code: 1, stdout: '' });
    expect(end.stderr).toMatch(/no answer came within 200ms\n.*swarm events trace [\da-f-]{36}/);
  });
});

/** How often a test kills what it tests. */
const KILLS = 3;
const SOON = { timeoutMs: 60_000, intervalMs: 1 };

describe('export and import', () => {
  const hostile = [
    { a: 1.5, b: 1e21, c: -0, d: 0.1, e: 2 ** 53 - 1, f: 'é \u2028 \u001b[31m " \\ \ud83d\ude00' },
    { '2': 'integers', '1': 'first', __proto__: null, z: { y: [] } },
    'text',
    null,
    [[[]]],
  ];

  test('keep the data, the ids and the conversations of events byte by byte', async () => {
    const extensions = { tenant: 'a', count: 7 };
    const meta = {
      subject: 's',
      correlationId: 'c',
      causationId: 'x',
      time: '2026-03-01T12:00:00.5+02:00',
      extensions,
    };
    for (const data of hostile) await client.bus.publish({ topic: 'a.b', data, ...meta });
    await publishMany(1_100);
    const [from, to] = [fileOf('from.jsonl'), fileOf('to.jsonl')];
    expect(await swarm(['events', 'export', from], env)).toMatchObject({ code: 0, stdout: `${from}: 1105 events\n` });
    expect(existsSync(`${from}.export.json`)).toBe(false);

    const other = { ...env, SWARM_NAMESPACE: core.freshNamespace() };
    expect(await swarm(['events', 'import', from], other)).toMatchObject({ code: 0 });
    expect(await swarm(['events', 'import', from], other)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('imported already'),
    });
    const again = await swarm(['events', 'import', from, '--again', '--json'], other);
    expect(objects(again.stdout)).toMatchObject([{ imported: 1_105, duplicates: 1_105 }]);
    expect(await swarm(['events', 'export', to], other)).toMatchObject({ code: 0 });
    // Only positions, times of appending, namespace and source are of the other swarm.
    const kept = (file: string): string[] =>
      readFileSync(file, 'utf8')
        .split('\n')
        .map((line) =>
          line.replace(/^\{"position":"[^"]*","appendedAt":"[^"]*",/, '').replace(/"namespace":"[^"]*"/, ''),
        );
    expect(kept(to)).toEqual(kept(from));
  });

  test('an export is added to, and no other file is touched', async () => {
    await publishMany(3);
    const file = fileOf('grows.jsonl');
    await swarm(['events', 'export', file, '--topics', 'numbers.*'], env);
    await publishMany(2);
    expect(await swarm(['events', 'export', file], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('--append'),
    });
    const added = await swarm(['events', 'export', file, '--append', '--json'], env);
    expect(objects(added.stdout)).toMatchObject([{ events: 5, added: 2 }]);
    expect(objects(readFileSync(file, 'utf8')).map(({ event }) => event.data.n)).toEqual([0, 1, 2, 0, 1]);
    const mine = fileOf('mine.txt');
    writeFileSync(mine, 'my own words\n');
    expect(await swarm(['events', 'export', mine, '--append'], env)).toMatchObject({ code: 1 });
    expect(readFileSync(mine, 'utf8')).toBe('my own words\n');
    expect(await swarm(['events', 'import', mine], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('line 1'),
    });
    const piped = await swarm(['events', 'export', '-'], env);
    expect(piped.stdout).toBe(readFileSync(file, 'utf8'));
  });

  test('an export that is killed again and again is whole, and has nothing twice', async () => {
    await publishMany(5_000);
    const [whole, killed] = [fileOf('whole.jsonl'), fileOf('killed.jsonl')];
    expect(await swarm(['events', 'export', whole], env)).toMatchObject({ code: 0 });
    let kills = 0;
    for (let size = 0; kills < KILLS; kills += 1) {
      const child = startSwarm(['events', 'export', killed], env);
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      const hasGrown = (): boolean => existsSync(killed) && statSync(killed).size > size;
      const what = 'the export to go on';
      const isOver = await Promise.race([
        ended.then(() => true),
        waitFor(hasGrown, { what, ...SOON }).then(
          () => false,
          () => false,
        ),
      ]);
      if (isOver) break;
      child.kill('SIGKILL');
      await ended;
      if (!existsSync(`${killed}.export.json`)) break;
      // As a power cut would leave it.
      writeFileSync(killed, '{"position":"torn', { flag: 'a' });
      size = statSync(killed).size;
    }
    const last = await swarm(['events', 'export', killed], env);
    // It may have been killed when it was complete.
    expect(last.code === 0 || last.stderr.includes('is there already')).toBe(true);
    expect(kills).toBeGreaterThan(0);
    expect(readFileSync(killed, 'utf8')).toBe(readFileSync(whole, 'utf8'));
  });

  test('an import that is killed again and again publishes everything once', async () => {
    await publishMany(5_000);
    const file = fileOf('imported.jsonl');
    await swarm(['events', 'export', file], env);
    const other = core.freshNamespace();
    const target = createSwarmClient({ url: core.url, token: core.adminToken, namespace: other });
    const counted = async (): Promise<number> => (await target.bus.topics()).topics[0]?.count ?? 0;
    let kills = 0;
    for (; kills < KILLS; kills += 1) {
      const before = await counted();
      const child = startSwarm(['events', 'import', file], { ...env, SWARM_NAMESPACE: other });
      const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
      const hasGrown = async (): Promise<boolean> => (await counted()) > before;
      const what = 'the import to go on';
      const isOver = await Promise.race([
        ended.then(() => true),
        waitFor(hasGrown, { what, ...SOON }).then(
          () => false,
          () => false,
        ),
      ]);
      if (isOver) break;
      child.kill('SIGKILL');
      await ended;
    }
    expect(await swarm(['events', 'import', file], { ...env, SWARM_NAMESPACE: other })).toMatchObject({ code: 0 });
    expect(kills).toBeGreaterThan(0);
    expect(await counted()).toBe(5_000);
    const numbers: unknown[] = [];
    for (let after: string | undefined; ;) {
      const page = await target.bus.read({ limit: 500, after });
      for (const { event } of page.events) numbers.push((event.data as { n: number }).n);
      if (page.end) break;
      after = page.next;
    }
    expect(numbers).toEqual(Array.from({ length: 5_000 }, (_, n) => n));
    await target.close();
  });
});
