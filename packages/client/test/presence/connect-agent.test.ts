// The life of agents on a whole core, which forgets them, or hands their name to another.
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '@hypercode/core-runtime/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createSwarmClient, type SwarmClient, type SwarmError } from '../../src/index.ts';
import { connectorTo } from '../connecting.ts';

let core: TestCore;
let connect: ReturnType<typeof connectorTo>;
let admin: SwarmClient;

beforeAll(async () => {
  core = await startTestCore({ leaseMs: 600 });
  connect = connectorTo(core);
  admin = createSwarmClient({ url: core.url, token: core.adminToken });
}, START_TIMEOUT_MS);

afterAll(async () => {
  await admin?.close();
  await core?.close();
});

describe('a connected agent', () => {
  test('is registered, sends a heartbeat every third of the lease, and is removed by its stop', async () => {
    // The core runs in this process, so its end of the connections that are kept counts, too.
    await Promise.all([admin.registry.query(), fetch(`${core.url}/healthz`).then((answer) => answer.text())]);
    const leaks = trackLeaks();
    const { agent, beats } = await connect('steady', { capabilities: ['persist'] });
    expect(agent.agent).toMatchObject({
      name: 'steady',
      incarnation: agent.incarnation,
      capabilities: [{ id: 'persist' }],
    });
    await waitFor(() => beats.length >= 6, { what: 'six heartbeats' });
    expect(beats.every(({ status, body }) => status === 200 && body.incarnation === agent.incarnation)).toBe(true);
    expect((await agent.client.registry.get({ name: 'steady' })).id).toBe(agent.agent.id);

    agent.setActivity('busy');
    await waitFor(() => beats.some(({ body }) => body.activity === 'busy'), { what: 'a heartbeat that says busy' });
    await Promise.all([agent.stop('done'), agent.stop()]);
    await expect(admin.registry.get({ name: 'steady' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(agent.client.registry.query()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await leaks.check();
  });

  test.each([
    [60_000, '60 s ahead of'],
    [-7_200_000, '7200 s behind'],
  ])('whose clock is %i ms off logs by how much, once', async (differenceMs, words) => {
    const real = Date.now;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => real.call(Date) + differenceMs);
    const warnings: string[] = [];
    const logger = { info: () => {}, warn: (_: unknown, message: string) => void warnings.push(message) };
    const { agent } = await connect('off', { logger });
    await agent.client.registry.query();
    await admin.registry.deregister({ name: 'off' });
    await agent.client.registry.get({ name: 'off' });
    await agent.stop();
    clock.mockRestore();
    expect(warnings.filter((text) => text.includes('clock'))).toEqual([expect.stringContaining(words)]);
  });

  test('whose clock is right writes nothing to the console, and one whose clock is off and that has no logger does', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const { agent } = await connect('right');
    await agent.stop();
    expect(warn).not.toHaveBeenCalled();
    const real = Date.now;
    const clock = vi.spyOn(Date, 'now').mockImplementation(() => real.call(Date) + 60_000);
    const { agent: off } = await connect('wrong');
    await off.stop();
    clock.mockRestore();
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/the clock of this process is 60 s ahead .* agent=wrong/)],
    ]);
    warn.mockRestore();
  });

  test('that the core has removed registers again, with what it has become', async () => {
    const { agent } = await connect('phoenix');
    await agent.update({ labels: { zone: 'b' }, version: '1.1.0' });
    const first = agent.agent;
    const outcomes: string[] = [];
    agent.on('registered', (_, outcome) => outcomes.push(outcome));
    await admin.registry.deregister({ name: 'phoenix' });
    // The client finds out before the next heartbeat does, and its call succeeds nevertheless.
    expect((await agent.client.registry.get({ name: 'phoenix' })).labels).toEqual({ zone: 'b' });
    expect(outcomes).toEqual(['created']);
    expect(agent.agent).toMatchObject({ version: '1.1.0', incarnation: first.incarnation });
    expect(agent.agent.id).not.toBe(first.id);
    await agent.stop();
  });

  test('whose circuit is open publishes when it is closed again', async () => {
    const { agent } = await connect('tripped', { publishTimeoutMs: 60_000 });
    const heard: unknown[] = [];
    agent.on('circuit', (...change) => heard.push(change));
    await agent.client.publish('task.tripped.done', 0);
    await admin.circuit.trip({ name: 'tripped', reason: 'runaway' });
    await waitFor(() => agent.circuit === 'open', { what: 'a heartbeat to tell' });
    const id = crypto.randomUUID();
    const published = agent.client.publish('task.tripped.done', 1, { id });
    await waitFor(() => heard.length === 2, { what: 'the refusal to tell why' });
    expect(agent.health()).toEqual({ status: 'ok', activity: 'ready', circuit: 'open', registered: true, denied: [] });
    await admin.circuit.reset({ name: 'tripped' });
    expect(await published).toMatchObject({ id, duplicate: false });
    expect(heard).toEqual([
      ['open', null],
      ['open', 'runaway'],
      ['closed', null],
    ]);
    await agent.stop();
  });

  test('whose name is taken by a later one ends for good', async () => {
    const fenced: SwarmError[] = [];
    const earlier = await connect('highlander', { onFenced: (error) => fenced.push(error) });
    const watch = earlier.agent.client.watch();
    await watch.next();
    const later = await connect('highlander');
    await waitFor(() => fenced.length > 0, { what: 'the earlier one to be fenced' });
    expect(fenced).toMatchObject([{ code: 'FENCED' }]);
    await expect(earlier.agent.client.registry.query()).rejects.toMatchObject({ code: 'FENCED' });
    const rest = (async () => {
      for await (const _ of watch) continue;
    })();
    await expect(rest).rejects.toMatchObject({ code: 'FENCED' });

    const beatsOfEarlier = earlier.beats.length;
    const beatsOfLater = later.beats.length;
    await waitFor(() => later.beats.length >= beatsOfLater + 6, { what: 'the later one to go on' });
    expect(earlier.beats).toHaveLength(beatsOfEarlier);
    await earlier.agent.stop();
    expect((await admin.registry.get({ name: 'highlander' })).incarnation).toBe(later.agent.incarnation);
    await later.agent.stop();
  });
});

describe('connecting', () => {
  test('is refused for good where no retry can help', async () => {
    await expect(connect('stranger', { token: 'nonsense' })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await expect(connect('Not A Name')).rejects.toMatchObject({ code: 'INVALID_INPUT' });
  });

  test('ends with its signal, before and after', async () => {
    const reason = new Error('changed my mind');
    await expect(connect('never', { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({ cause: reason });
    const waiting = new AbortController();
    const nobody = connect('nobody', {
      url: 'http://127.0.0.1:1',
      signal: waiting.signal,
      onError: () => waiting.abort(reason),
    });
    await expect(nobody).rejects.toMatchObject({ code: 'UNAVAILABLE', cause: reason });

    const controller = new AbortController();
    const { agent } = await connect('brief', { signal: controller.signal });
    const stopped = new Promise<void>((resolve) => agent.on('stopped', resolve));
    controller.abort();
    await stopped;
    await expect(admin.registry.get({ name: 'brief' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});
