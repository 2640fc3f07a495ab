// Liveness on every store: leases, circuits and the brake, by real time in small.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AddressRules } from '../probes/address-rules.ts';
import type { ReplicaOptions, Replicas, Swarm } from '../swarm-suite.ts';
import { codeOf, until } from '../swarm-suite.ts';

const LEASE_MS = 300;
const LOOPBACK = new AddressRules(['127.0.0.0/8', '::1/128']);
const FAST: ReplicaOptions = {
  leaseMs: LEASE_MS,
  liveness: { circuitOpenMs: 100, probeIntervalMs: 200, probeTimeoutMs: 500, probeAllow: LOOPBACK },
};

/** An agent that beats until it is told to stop. */
function beating(swarm: Swarm, token: string): () => void {
  const timer = setInterval(() => {
    swarm
      .agent(token)
      .then((agent) => swarm.registry.heartbeat(agent, undefined))
      .catch(() => undefined);
  }, LEASE_MS / 6);
  return () => clearInterval(timer);
}

/** What a healthUrl stands for. */
class Endpoint {
  status = 200;
  asked = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (_request, response) => {
      this.asked += 1;
      response.statusCode = this.status;
      response.end();
    });
  }

  static async open(): Promise<Endpoint> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Endpoint(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/health`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

export function livenessSuite(replicas: Replicas): void {
  const stack: (() => Promise<void> | void)[] = [];
  // Agents of other tests, whose leases were longer, would keep the judge busy.
  beforeEach(async () => {
    const { database, close } = await replicas.store.connect();
    await sql`delete from agents`.execute(database.kysely);
    await close();
  });
  afterEach(async () => {
    for (const undo of stack.splice(0).toReversed()) await undo();
  });

  const endpoint = async (): Promise<Endpoint> => {
    const opened = await Endpoint.open();
    stack.push(() => opened.close());
    return opened;
  };
  const statusOf = async (swarm: Swarm, name: string) => (await swarm.get(name)).status;
  const untilStatus = (swarm: Swarm, name: string, status: object) =>
    until(async () => expect(await statusOf(swarm, name)).toMatchObject(status), 20_000);

  describe('a lease', () => {
    it('makes an agent healthy with the first beat, unhealthy when it is missed, and healthy again', async () => {
      const swarm = await replicas.swarm(FAST);
      const token = await swarm.join('ada');
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unknown' });
      const stop = beating(swarm, token);
      await untilStatus(swarm, 'ada', { health: 'healthy', circuit: 'closed', consecutiveFailures: 0 });
      stop();
      await untilStatus(swarm, 'ada', { health: 'unhealthy', reason: expect.stringContaining('missed') });
      stack.push(beating(swarm, token));
      await untilStatus(swarm, 'ada', { health: 'healthy', consecutiveFailures: 0 });
    });

    it('opens the circuit with the fourth miss, and beats close it again', async () => {
      const swarm = await replicas.swarm(FAST);
      const there = swarm.on(await replicas.start(FAST));
      const watcher = swarm.watch();
      await watcher.synced();
      const token = await swarm.join('ada');
      const stop = beating(swarm, token);
      await untilStatus(swarm, 'ada', { health: 'healthy' });
      stop();
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      const statuses = watcher.changes.map(({ agent: { status } }) => status);
      expect(statuses.find(({ health }) => health === 'unhealthy')).toMatchObject({ circuit: 'closed' });
      const opened = statuses.find(({ circuit }) => circuit === 'open');
      expect(opened?.consecutiveFailures).toBeGreaterThanOrEqual(4);
      expect(opened?.reason).toContain('missed');
      await until(async () => expect(await there.agent(token)).toMatchObject({ circuit: 'open' }));
      stack.push(beating(swarm, token));
      await untilStatus(swarm, 'ada', { circuit: 'closed', health: 'healthy', consecutiveFailures: 0 });
    });

    it('removes an agent that is silent for long enough, and its token with it', async () => {
      const swarm = await replicas.swarm({ ...FAST, liveness: { ...FAST.liveness, expireAfterMs: 800 } });
      const watcher = swarm.watch();
      await watcher.synced();
      const token = await swarm.join('ada');
      await until(async () => expect(await codeOf(swarm.get('ada'))).toBe('NOT_FOUND'), 20_000);
      await until(() => expect(watcher.changes.at(-1)).toMatchObject({ change: 'expired' }));
      expect(await codeOf(swarm.agent(token))).toBe('UNAUTHENTICATED');
    });

    it('is not judged before a replica that has just started has waited for one', async () => {
      const first = await replicas.swarm({ ...FAST, leaseMs: 60_000 });
      const token = await first.join('ada');
      await first.registry.heartbeat(await first.agent(token), undefined);
      await first.replica.close();
      // Silent for far longer than the lease of the replica that starts now.
      await new Promise((resolve) => setTimeout(resolve, 2 * LEASE_MS));
      const startedAt = performance.now();
      const second = first.on(await replicas.start(FAST));
      await untilStatus(second, 'ada', { health: 'unhealthy' });
      expect(performance.now() - startedAt).toBeGreaterThan(LEASE_MS);
    });
  });

  describe('a circuit', () => {
    it('is tripped by an operator until it is reset, whatever the beats say', async () => {
      const swarm = await replicas.swarm(FAST);
      const token = await swarm.join('ada');
      stack.push(beating(swarm, token));
      await untilStatus(swarm, 'ada', { health: 'healthy' });
      const { namespace } = swarm;
      const tripped = await swarm.registry.trip({ namespace, name: 'ada', reason: 'runaway' });
      expect(tripped.status).toMatchObject({ circuit: 'open', reason: 'runaway' });
      const seen = Date.parse(tripped.status.lastSeenAt ?? '');
      await until(async () => {
        expect(Date.parse((await statusOf(swarm, 'ada')).lastSeenAt ?? '')).toBeGreaterThan(seen + 1000);
      });
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'open', health: 'healthy' });
      expect((await swarm.registry.reset({ namespace, name: 'ada' })).status).toMatchObject({ circuit: 'closed' });
      expect(await codeOf(swarm.registry.trip({ namespace, name: 'nobody' }))).toBe('NOT_FOUND');
    });

    it('belongs to the process', async () => {
      const swarm = await replicas.swarm(FAST);
      await swarm.join('ada', { incarnation: '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f' });
      await swarm.registry.trip({ namespace: swarm.namespace, name: 'ada' });
      await swarm.join('ada', { incarnation: '7f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f' });
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
    });
  });

  describe('a healthUrl', () => {
    it('is probed: three failures are nothing, the fourth opens, two good ones close', async () => {
      const swarm = await replicas.swarm(FAST);
      const there = await endpoint();
      const token = await swarm.join('ada', { healthUrl: there.url });
      stack.push(beating(swarm, token));
      await untilStatus(swarm, 'ada', { health: 'healthy' });
      there.status = 500;
      await untilStatus(swarm, 'ada', { health: 'unhealthy', reason: expect.stringContaining('500') });
      there.status = 200;
      await untilStatus(swarm, 'ada', { health: 'healthy', circuit: 'closed', consecutiveFailures: 0 });
      there.status = 500;
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      await untilStatus(swarm, 'ada', { circuit: 'half_open' });
      there.status = 200;
      await untilStatus(swarm, 'ada', { circuit: 'closed', health: 'healthy' });
    });

    it('is shared out among replicas, never probed by two in one round, and taken over', async () => {
      const swarm = await replicas.swarm(FAST);
      const other = await replicas.start(FAST);
      const there = await endpoint();
      await swarm.register('ada', { healthUrl: there.url });
      await until(() => expect(there.asked).toBeGreaterThan(2));
      const startedAt = performance.now();
      const before = there.asked;
      await until(() => expect(there.asked).toBeGreaterThan(before + 8), 20_000);
      // Nine rounds of 200 ms, spread by a tenth: two replicas that both probe would take half the time.
      expect(performance.now() - startedAt).toBeGreaterThan(9 * 180 * 0.8);
      await other.close();
      const then = there.asked;
      await until(() => expect(there.asked).toBeGreaterThan(then + 2));
    });

    it('that may not be probed is a failure that says so', async () => {
      const swarm = await replicas.swarm(FAST);
      await swarm.register('ada', { healthUrl: 'http://169.254.169.254/latest/meta-data' });
      await untilStatus(swarm, 'ada', { health: 'unhealthy', consecutiveFailures: expect.any(Number) });
    });
  });

  describe('the brake', () => {
    it('holds when half of the agents fail together, says so, and lets go; who stays away is tripped after it', async () => {
      const swarm = await replicas.swarm(FAST);
      const said: string[] = [];
      stack.push(
        swarm.registry.observe({
          onGroup: () => undefined,
          onLinked: () => undefined,
          onBrake: (namespace, says) => void (namespace === swarm.namespace && said.push(says)),
        }),
      );
      const names = Array.from({ length: 12 }, (_, i) => `ada-${i}`);
      const stops = await Promise.all(
        names.map(async (name) => {
          const stop = beating(swarm, await swarm.join(name));
          stack.push(stop);
          return stop;
        }),
      );
      for (const name of names) await untilStatus(swarm, name, { health: 'healthy' });
      for (const stop of stops.slice(0, 8)) stop();
      await until(() => expect(said).toEqual(['suspended']), 20_000);
      expect(
        (await Promise.all(names.map((name) => statusOf(swarm, name)))).map(({ circuit }) => circuit),
      ).not.toContain('open');
      await until(() => expect(said).toEqual(['suspended', 'resumed']), 20_000);
      for (const name of names.slice(0, 8)) await untilStatus(swarm, name, { circuit: 'open' });
      for (const name of names.slice(8)) {
        expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed', health: 'healthy' });
      }
      expect(said).toEqual(['suspended', 'resumed']);
    });

    it('is not held by a few that never answered, nor for one that vanishes', async () => {
      const swarm = await replicas.swarm(FAST);
      const said: string[] = [];
      stack.push(
        swarm.registry.observe({
          onGroup: () => undefined,
          onLinked: () => undefined,
          onBrake: (namespace, says) => void (namespace === swarm.namespace && said.push(says)),
        }),
      );
      const names = Array.from({ length: 8 }, (_, i) => `ada-${i}`);
      const stops = await Promise.all(
        names.map(async (name) => {
          const stop = beating(swarm, await swarm.join(name));
          stack.push(stop);
          return stop;
        }),
      );
      for (let fake = 0; fake < 6; fake += 1) await swarm.register(`fake-${fake}`);
      for (const name of names) await untilStatus(swarm, name, { health: 'healthy' });
      stops[0]?.();
      await untilStatus(swarm, 'ada-0', { circuit: 'open' });
      await untilStatus(swarm, 'fake-0', { circuit: 'open' });
      expect(said).toEqual([]);
    });
  });
}
