// What an agent hears of its circuit, and says of its activity and health, against a small HTTP server for a core.
import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { problemOf, type Activity, type CircuitState, type GroupEvent, SwarmError } from '@hypercode/contracts';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import { afterEach, describe, expect, test } from 'vitest';
import { connectAgent, type ConnectAgentOptions, createAgent } from '../../src/presence/connect-agent.ts';
import type { ConnectedAgent } from '../../src/presence/connected-agent.ts';

const agents: ConnectedAgent[] = [];
const servers: Server[] = [];

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.stop()));
  await Promise.all(servers.splice(0).map((server) => end(server)));
});

const end = (server: Server): Promise<unknown> =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });

interface Status {
  readonly circuit: CircuitState;
  readonly reason: string | null;
}

/** A core as one agent sees it. */
class FakeCore {
  url = '';
  readonly beats: (Activity | undefined)[] = [];
  readonly calls: string[] = [];
  readonly registrations: unknown[] = [];
  circuit: CircuitState = 'closed';
  /** Whether heartbeats are told of the circuit, as later cores do. */
  saysCircuit = true;
  registeredWith: Status = { circuit: 'closed', reason: null };
  beatRefusal: SwarmError | undefined;
  publishRefusal: SwarmError | undefined;
  leaseMs = 300;
  /** The note of each heartbeat; undefined where it has none. */
  readonly notes: unknown[] = [];
  /** Answers to heartbeats that were taken and are still to be told; null: they are told at once. */
  untold: (() => void)[] | null = null;
  onRegister: () => void = () => {};
  #consumers: ServerResponse[] = [];

  answer(path: string, text: string, response: ServerResponse): void {
    this.calls.push(path);
    if (path === '/v1/events') {
      const { publishRefusal } = this;
      if (publishRefusal !== undefined)
        return void json(response, publishRefusal.httpStatus, problemOf(publishRefusal));
      return void json(response, 200, { results: this.#publish(JSON.parse(text) as { id: string }[]) });
    }
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
    if (path.endsWith('/heartbeat')) {
      if (this.beatRefusal !== undefined) {
        return void json(response, this.beatRefusal.httpStatus, this.beatRefusal.toJSON());
      }
      this.beats.push(body['activity'] as Activity | undefined);
      this.notes.push(body['note']);
      const { leaseMs, circuit } = this;
      const tell = (): void => void json(response, 200, { leaseMs, ...(this.saysCircuit ? { circuit } : {}) });
      return this.untold === null ? tell() : void this.untold.push(tell);
    }
    if (path === '/trpc/bus.consume') {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('event: connected\ndata: {"reconnectAfterInactivityMs":10000}\n\n\n');
      this.#consumers.push(response);
      return;
    }
    const data = path === '/trpc/registry.register' ? this.#register(body) : {};
    // Other calls of the registry travel in batches.
    json(response, 200, path === '/trpc/registry.deregister' ? [{ result: { data } }] : { result: { data } });
  }

  #register(registration: unknown): unknown {
    this.registrations.push(registration);
    this.onRegister();
    const agent = { name: 'ada', status: this.registeredWith };
    return { agent, outcome: 'created', token: `own-${this.registrations.length}` };
  }

  #publish(events: readonly { id: string }[]): unknown[] {
    const error = new SwarmError('CIRCUIT_OPEN', 'the circuit is open: runaway', {
      details: { circuit: 'open', reason: 'runaway' },
      retryAfterMs: 5,
    }).toJSON();
    return events.map(({ id }) =>
      this.circuit === 'closed' ? { id, position: '1', duplicate: false } : { id, error },
    );
  }

  deliver(number: number): void {
    const item: GroupEvent = {
      type: 'delivery',
      deliveryId: `${number}/1`,
      attempt: 1,
      dueAt: '2030-01-01T00:00:00.000Z',
      position: String(number),
      event: {
        id: '018f3f1e-7c4b-7cc3-98c4-dc0c0c07398f',
        topic: 'a.b',
        data: number,
        time: '2026-01-01T00:00:00.000Z',
        namespace: 'default',
        source: '/agents/default/someone',
      },
    };
    for (const consumer of this.#consumers) {
      consumer.write(`data: ${JSON.stringify(item)}\nid: ${item.deliveryId}\n\n\n`);
    }
  }

  get members(): number {
    return this.#consumers.filter(({ destroyed }) => !destroyed).length;
  }
}

const json = (response: ServerResponse, status: number, body: unknown): unknown =>
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));

async function startFakeCore(): Promise<FakeCore> {
  const core = new FakeCore();
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    request.on('end', () => {
      const { pathname } = new URL(request.url ?? '', 'http://core');
      core.answer(pathname, text, response);
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  core.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return core;
}

async function connect(core: FakeCore, options: Partial<ConnectAgentOptions> = {}): Promise<ConnectedAgent> {
  const registration = { name: 'ada', role: 'worker', version: '1.0.0' };
  const agent = await connectAgent({ url: core.url, token: 'join', ...registration, ...options });
  agents.push(agent);
  return agent;
}

function circuitsOf(agent: ConnectedAgent): [CircuitState, string | null][] {
  const heard: [CircuitState, string | null][] = [];
  agent.on('circuit', (...change) => void heard.push(change));
  return heard;
}

describe('that was created', () => {
  const registration = { name: 'ada', role: 'worker', version: '1.0.0', token: 'join' };

  test('sends nothing until it registers, and its calls wait for that', async () => {
    const core = await startFakeCore();
    const agent = createAgent({ url: core.url, ...registration });
    agents.push(agent);
    const published = agent.client.publish('a.b', 1);
    await fetch(`${core.url}/other`);
    expect(core.calls).toEqual(['/other']);
    expect(agent.health()).toMatchObject({ status: 'unregistered', registered: false });
    await Promise.all([agent.register(), agent.register()]);
    expect(await published).toMatchObject({ duplicate: false });
    expect(core.calls.filter((path) => path === '/trpc/registry.register')).toHaveLength(1);
  });

  test('holds nothing of the calls that did not wait for it', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const heapBytes = (): number => {
      collectGarbage();
      return process.memoryUsage().heapUsed;
    };
    const agent = createAgent({ url: 'http://127.0.0.1:1', ...registration });
    agents.push(agent);
    const giveUp = async (data: string): Promise<void> => {
      // Not by `expect`, which would hold it.
      await agent.client.bus.publish({ topic: 'a.b', data }, { timeoutMs: 1 }).then(
        () => expect.unreachable(),
        () => {},
      );
    };
    await giveUp('warm');
    const before = heapBytes();
    for (let number = 0; number < 100; number += 1) await giveUp(String(number).repeat(60_000));
    expect(heapBytes() - before).toBeLessThan(5_000_000);
  });

  test('can be stopped before that, and then never registers', async () => {
    const leaks = trackLeaks();
    const core = await startFakeCore();
    const agent = createAgent({ url: core.url, ...registration });
    const listener = agent.client.on('a.b', () => {});
    const published = agent.client.publish('a.b', 1);
    await Promise.all([agent.stop(), expect(published).rejects.toMatchObject({ code: 'UNAVAILABLE' })]);
    await listener.closed;
    await expect(agent.register()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(agent.health().status).toBe('stopped');
    expect(core.calls).toEqual([]);
    await Promise.all(servers.splice(0).map((server) => end(server)));
    await leaks.check();
  });
});

test('its token is renewed, also when a heartbeat that was taken before is still to be answered', async () => {
  const core = await startFakeCore();
  const agent = await connect(core);
  await waitFor(() => core.beats.length > 0, { what: 'the first heartbeat' });
  core.untold = [];
  agent.setActivity('busy');
  const late = await waitFor(() => core.untold?.[0], { what: 'a heartbeat' });
  core.untold = null;
  core.beatRefusal = core.publishRefusal = new SwarmError('UNAUTHENTICATED', 'this token is not known');
  core.onRegister = () => {
    core.beatRefusal = core.publishRefusal = undefined;
  };
  const published = agent.client.publish('a.b', 1);
  await waitFor(() => core.calls.includes('/v1/events'), { what: 'the publish' });
  late();
  expect(await published).toMatchObject({ duplicate: false });
  expect(core.calls.filter((path) => path === '/trpc/registry.register')).toHaveLength(2);
});

test('what an update leaves out is as it was, also when the core has lost the agent', async () => {
  const core = await startFakeCore();
  const agent = await connect(core, { labels: { zone: 'a' }, description: 'adds' });
  await agent.update({ version: '1.1.0', description: null, labels: undefined });
  core.beatRefusal = new SwarmError('UNAUTHENTICATED', 'the agent has been removed');
  core.onRegister = () => (core.beatRefusal = undefined);
  agent.setActivity('busy');
  await waitFor(() => core.registrations.length === 2, { what: 'the next registration' });
  expect(core.registrations[1]).toMatchObject({ version: '1.1.0', description: null, labels: { zone: 'a' } });
});

test('a logger and listeners that throw do not harm the agent', async () => {
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  const uncaught: unknown[] = [];
  const keep = (error: unknown): void => void uncaught.push(error);
  process.on('uncaughtException', keep);
  try {
    const fault = (): never => {
      throw new Error('a faulty callback');
    };
    const core = await startFakeCore();
    const agent = await connect(core, { logger: { info: fault, warn: fault }, onError: fault });
    agent.on('circuit', fault);
    core.beatRefusal = new SwarmError('UNAVAILABLE', 'no store');
    agent.setActivity('busy');
    // Of the registration the logger was told, of the refusal both.
    await waitFor(() => uncaught.length >= 3, { what: 'a beat to be refused' });
    core.beatRefusal = undefined;
    core.circuit = 'open';
    await waitFor(() => agent.circuit === 'open', { what: 'a beat to be taken' });
    await agent.stop();
    expect(core.registrations).toHaveLength(1);
    await waitFor(() => uncaught.length >= 5, { what: 'all faults' });
    expect(new Set(uncaught.map(String))).toEqual(new Set(['Error: a faulty callback']));
  } finally {
    process.off('uncaughtException', keep);
    for (const listener of before) process.on('uncaughtException', listener);
  }
});

describe('its circuit', () => {
  test('is learned from the answers to heartbeats', async () => {
    const core = await startFakeCore();
    const agent = await connect(core);
    const heard = circuitsOf(agent);
    expect(agent.circuit).toBe('closed');
    for (const circuit of ['open', 'half_open', 'closed'] as const) {
      core.circuit = circuit;
      await waitFor(() => agent.circuit === circuit, { what: `${circuit} to be heard of` });
    }
    expect(heard).toEqual([
      ['open', null],
      ['half_open', null],
      ['closed', null],
    ]);
  });

  test('is learned from the answers to publishes, which wait until it is closed', async () => {
    const core = await startFakeCore();
    core.saysCircuit = false;
    const agent = await connect(core);
    const heard = circuitsOf(agent);
    core.circuit = 'open';
    const published = agent.client.publish('a.b', 1);
    await waitFor(() => agent.circuit === 'open', { what: 'the refusal' });
    expect(heard).toEqual([['open', 'runaway']]);
    core.circuit = 'closed';
    expect(await published).toMatchObject({ duplicate: false });
    expect(agent.circuit).toBe('closed');
    expect(heard.at(-1)).toEqual(['closed', null]);
  });

  test('is that of the registration at first', async () => {
    const core = await startFakeCore();
    core.registeredWith = { circuit: 'open', reason: 'tripped' };
    core.saysCircuit = false;
    expect((await connect(core)).circuit).toBe('open');
  });

  test('makes publishes reject where that is asked for', async () => {
    const core = await startFakeCore();
    core.circuit = 'open';
    const agent = await connect(core, { whenCircuitOpen: 'reject' });
    await expect(agent.client.publish('a.b', 1)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      details: { reason: 'runaway' },
    });
  });
});

describe('its activity', () => {
  test('without consumers is only what setActivity sets', async () => {
    const core = await startFakeCore();
    const agent = await connect(core);
    await waitFor(() => core.beats.length >= 3, { what: 'three heartbeats' });
    expect(new Set(core.beats)).toEqual(new Set([undefined]));
    expect(agent.health().activity).toBe('ready');
    agent.setActivity('paused');
    await waitFor(() => core.beats.at(-1) === 'paused', { what: 'paused' });
    agent.setActivity('auto');
    await waitFor(() => core.beats.at(-1) === 'ready', { what: 'the pause to be taken back' });
  });

  test('has a note for as long as setActivity gives one, and none before the first', async () => {
    const core = await startFakeCore();
    const agent = await connect(core);
    await waitFor(() => core.beats.length >= 2, { what: 'two heartbeats' });
    expect(new Set(core.notes)).toEqual(new Set([undefined]));
    agent.setActivity('waiting', { note: 'for the build' });
    await waitFor(() => core.notes.filter((note) => note === 'for the build').length >= 2, { what: 'the note, twice' });
    expect(core.beats.at(-1)).toBe('waiting');
    agent.setActivity('busy');
    await waitFor(() => core.notes.at(-1) === null && core.beats.at(-1) === 'busy', { what: 'no note' });
    for (const note of ['n'.repeat(257), 'a\0', '\ud800']) {
      expect(() => agent.setActivity('blocked', { note })).toThrow(expect.objectContaining({ code: 'INVALID_INPUT' }));
    }
    expect(agent.health().activity).toBe('busy');
  });

  test('follows the load of its consumers, unless setActivity sets it', async () => {
    const core = await startFakeCore();
    const agent = await connect(core);
    const gates: (() => void)[] = [];
    const options = { group: 'g', topics: ['a.*'], maxInFlight: 2 };
    const handle = () => new Promise<void>((resolve) => void gates.push(resolve));
    const consumer = agent.client.consume(options, handle);
    await waitFor(() => core.members === 1 && core.beats.at(-1) === 'ready', { what: 'a ready member' });
    core.deliver(1);
    core.deliver(2);
    await waitFor(() => core.beats.at(-1) === 'busy', { what: 'busy' });
    expect(agent.health().activity).toBe('busy');
    agent.setActivity('paused');
    await waitFor(() => core.beats.at(-1) === 'paused', { what: 'paused' });
    agent.setActivity('auto');
    await waitFor(() => core.beats.at(-1) === 'busy', { what: 'busy again' });
    for (const open of gates.splice(0)) open();
    await waitFor(() => core.beats.at(-1) === 'ready', { what: 'ready again' });
    await consumer.stop();
  });

  test('is draining while it stops, and heartbeats go on', async () => {
    const leaks = trackLeaks();
    const core = await startFakeCore();
    const agent = await connect(core);
    let finish = (): void => {};
    const handle = () => new Promise<void>((resolve) => (finish = resolve));
    const consumer = agent.client.consume({ group: 'g', topics: ['a.*'] }, handle);
    await waitFor(() => core.members === 1, { what: 'a member' });
    core.deliver(1);
    await waitFor(() => consumer.running === 1, { what: 'the handler' });
    const before = core.beats.length;
    const stopped = agent.stop();
    await waitFor(() => core.beats.slice(before).filter((activity) => activity === 'draining').length >= 2, {
      what: 'heartbeats that say draining',
    });
    expect(agent.health()).toEqual({
      status: 'draining',
      activity: 'draining',
      circuit: 'closed',
      registered: true,
      denied: [],
    });
    expect(core.calls).not.toContain('/trpc/registry.deregister');
    finish();
    await stopped;
    expect(core.calls.slice(-2)).toEqual(['/trpc/bus.ack', '/trpc/registry.deregister']);
    expect(agent.health()).toMatchObject({ status: 'stopped', registered: false });
    await Promise.all(servers.splice(0).map((server) => end(server)));
    await leaks.check();
  });
});

describe('its health', () => {
  test('is what it knows of itself', async () => {
    const core = await startFakeCore();
    const agent = await connect(core);
    const well = { status: 'ok', activity: 'ready', circuit: 'closed', registered: true, denied: [] };
    expect(agent.health()).toEqual(well);
    core.circuit = 'open';
    await waitFor(() => agent.circuit === 'open', { what: 'the circuit' });
    expect(agent.health()).toEqual({ ...well, circuit: 'open' });
  });

  test('reports that another process has the name', async () => {
    const core = await startFakeCore();
    const agent = await connect(core);
    const fenced = new Promise((resolve) => agent.on('fenced', resolve));
    core.beatRefusal = new SwarmError('FENCED', 'a later one has the name');
    await fenced;
    expect(agent.health()).toMatchObject({ status: 'fenced', registered: false });
  });

  test('reports that the core has lost the agent', async () => {
    const core = await startFakeCore();
    const agent = await connect(core);
    core.beatRefusal = new SwarmError('UNAUTHENTICATED', 'the agent has been removed');
    await waitFor(() => agent.health().status === 'unregistered', { what: 'the loss to be noticed' });
    core.beatRefusal = undefined;
    await waitFor(() => agent.health().status === 'ok', { what: 'the next registration' });
  });
});
