// A client beside a core of another release: a core that knows more than the client, and a client that knows more than the core.
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectAgent, createSwarmClient, type SwarmClientOptions, type SwarmLogger } from '../../src/index.ts';

let core: TestCore;
let namespace: string;

beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

beforeEach(() => {
  namespace = core.freshNamespace();
});

/** Puts what a later release may add into every answer of this core. */
class LaterCore {
  /** Answers of the address that ends so; it stands for what the core itself would answer. */
  readonly answers = new Map<string, () => Response>();

  readonly fetch: typeof fetch = async (address, init) => {
    const { pathname } = new URL(address instanceof Request ? address.url : address);
    for (const [end, answer] of this.answers) if (pathname.endsWith(end)) return answer();
    const response = await globalThis.fetch(address, init);
    const { status, headers } = response;
    if (headers.get('content-type') === 'text/event-stream')
      return new Response(response.body?.pipeThrough(laterStream()) ?? null, { status, headers });
    const text = JSON.stringify(later(await response.json()));
    return new Response(text, { status, headers: { 'content-type': 'application/json' } });
  };
}

/** Every object has one more field, and every enum that the client reads one more value. */
function later(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(later);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).map(([name, field]) => [name, LATER_VALUES[name] ?? later(field)]);
  return { ...Object.fromEntries(fields), ofTheFuture: { some: ['thing'] } };
}

const LATER_VALUES: Readonly<Record<string, string>> = { health: 'radiant', activity: 'dreaming', circuit: 'melting' };

/** A value of an unknown type stands before each value of a stream. */
function laterStream(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let text = '';
  return new TransformStream({
    transform(bytes, controller) {
      text += decoder.decode(bytes, { stream: true });
      const frames = text.split('\n\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const data = /^data: (\{.*\})$/m.exec(frame)?.[1];
        const isValue = data !== undefined && !frame.startsWith('event:');
        const before = isValue ? 'data: {"type":"omen","revision":"?","of":"the future"}\n\n\n' : '';
        const changed = isValue ? frame.replace(data, () => JSON.stringify(later(JSON.parse(data)))) : frame;
        controller.enqueue(encoder.encode(`${before}${changed}\n\n\n`));
      }
    },
  });
}

const optionsFor = (more: Partial<SwarmClientOptions> = {}): SwarmClientOptions => ({
  url: core.url,
  token: core.adminToken,
  namespace,
  // What passes through a `fetch` of the test can be changed.
  webSocket: false,
  ...more,
});

describe('a client of this release and a core of a later one', () => {
  test('an agent joins, publishes, consumes and is seen, with what it does not know left out', async () => {
    const { fetch } = new LaterCore();
    await using agent = await connectAgent({ ...optionsFor({ fetch }), name: 'ada', role: 'worker', version: '1.0.0' });
    await using watcher = createSwarmClient(optionsFor({ fetch }));

    const directory = watcher.directory();
    await directory.ready;
    expect(directory.get('ada')?.status).toMatchObject({ health: 'radiant', activity: 'dreaming', circuit: 'melting' });

    const heard: unknown[] = [];
    const listener = watcher.on('riddle.>', ({ data }) => void heard.push(data));
    await listener.attached;
    const received: unknown[] = [];
    const consumer = watcher.consume({ group: 'ada', topics: ['riddle.ada.>'] }, ({ data }) => {
      received.push(data);
    });
    await waitFor(async () => (await watcher.bus.groups()).groups.length === 1, { what: 'the group' });
    expect(await watcher.publish('riddle.ada.asked', { text: 'why?' })).toMatchObject({ duplicate: false });
    await waitFor(() => heard.length === 1 && received.length === 1, { what: 'the event' });
    await waitFor(async () => (await watcher.bus.groups()).groups[0]?.inFlight === 0, { what: 'its acknowledgement' });
    expect(agent.health()).toMatchObject({ status: 'ok' });
    await consumer.stop();
    await directory.stop();
  });

  test('an unknown code is taken by whether a retry can help, and by its status', async () => {
    const laterCore = new LaterCore();
    await using client = createSwarmClient(optionsFor({ fetch: laterCore.fetch }));
    const swarm = { code: 'SHIPWRECKED', message: 'the ship has sunk', retryable: false };
    laterCore.answers.set('registry.get', () =>
      Response.json(
        { error: { message: '', code: -32_009, data: { code: 'X', httpStatus: 409, swarm } } },
        { status: 409 },
      ),
    );
    await expect(client.registry.get({ name: 'ada' })).rejects.toMatchObject({
      code: 'CONFLICT',
      retryable: false,
      message: 'the ship has sunk (SHIPWRECKED)',
    });

    let refusals = 0;
    laterCore.answers.set('v1/events', () => {
      refusals += 1;
      laterCore.answers.delete('v1/events');
      return Response.json(
        { ...swarm, retryable: true, retryAfterMs: 1, detail: 'later', status: 503 },
        { status: 503 },
      );
    });
    expect(await client.publish('a.b', 1)).toMatchObject({ duplicate: false });
    expect(refusals).toBe(1);
    laterCore.answers.set('v1/events', () => Response.json({ results: [{ id: null, error: swarm }] }));
    await expect(client.publish('a.b', 1)).rejects.toMatchObject({ message: 'the ship has sunk (SHIPWRECKED)' });
  });
});

describe('a client of a later release and this core', () => {
  /** What this client sends, with the version of a later release. */
  const laterFetch: typeof fetch = (address, init) =>
    fetch(address, { ...init, headers: { ...(init?.headers as Record<string, string>), 'swarm-api': '1000' } });

  test('what the core does not know is ignored, and the client logs it once', async () => {
    const logged: [Record<string, unknown>, string][] = [];
    const logger: SwarmLogger = { info() {}, warn: (...entry) => void logged.push(entry) };
    const options = optionsFor({ fetch: laterFetch, logger });
    await using client = createSwarmClient(options);
    const topics = { publishes: [], ignores: ['a.b'] };
    const registration = { name: 'ada', role: 'worker', version: '1.0.0', mood: 'good', topics };
    for (let round = 0; round < 2; round += 1) {
      const { agent } = await client.registry.register(registration);
      expect(agent).not.toHaveProperty('mood');
    }
    const watch = client.watch({ mood: 'good' } as object);
    expect(await watch.next()).toMatchObject({ value: { type: 'snapshot', agents: [{ name: 'ada' }] } });
    await watch.return?.();
    await client.bus.publishMany({ events: [{ topic: 'a.b', data: { mood: 1 }, urgency: 5 } as never] });
    expect(logged.map(([fields]) => fields)).toEqual([
      { core: core.url, ignored: 'mood, topics.ignores' },
      { core: core.url, ignored: 'urgency' },
    ]);
  });

  test('the same from a client of this release is refused', async () => {
    await using client = createSwarmClient(optionsFor());
    const registration = { name: 'ada', role: 'worker', version: '1.0.0', label: {} };
    await expect(client.registry.register(registration)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
      details: [{ path: 'label', reason: 'is no field here; did you mean "labels"?' }],
    });
  });

  test('an agent sends what it was answered, and what only the core writes is ignored', async () => {
    await using client = createSwarmClient(optionsFor());
    const { agent } = await client.registry.register({ name: 'ada', role: 'worker', version: '1.0.0' });
    const again = { ...agent, description: 'first', incarnation: null };
    expect(await client.registry.register(again)).toMatchObject({
      outcome: 'updated',
      agent: { description: 'first' },
    });
    const set = { ...agent, description: 'second' };
    expect(await client.registry.update({ name: 'ada', set })).toMatchObject({ agent: { description: 'second' } });
  });
});
