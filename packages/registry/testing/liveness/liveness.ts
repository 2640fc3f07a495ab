// Liveness on every store: leases, circuits and the mass-failure guard, in time that tests move.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SwarmError } from '@hypercode/contracts';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { repeat } from '@hypercode/clock';
import type { HeldClock } from '@hypercode/clock/testing';
import type { RegistryNotices } from '../../src/create-registry.ts';
import { HeldTime } from '../../test/held-time.ts';
import { type GuardNotice, type GuardNumbers, LEASES_TO_COUNT } from '../../src/liveness/mass-failure-guard.ts';
import type { CircuitChange } from '../../src/liveness/queries/claim-circuit-changes.ts';
import { AddressRules } from '../../src/probes/address-rules.ts';
import { codeOf, type Replica, type ReplicaOptions, type Replicas, type Swarm, until } from '../../test/swarm.ts';
import { DUTY_MS } from '../../src/liveness/judge.ts';
import { freshCircuit, freshMemory, PROBE_FAILED } from '../../src/documents/liveness-memory.ts';
import { OUTBOX_CLAIM_MS, OUTBOX_POLL_MS } from '../../src/liveness/circuit-outbox.ts';

const LEASE_MS = 3000;
const FLUSH_MS = LEASE_MS / 6;
/** When a lease that is not renewed is missed: after itself and two flushes. */
const MISSED_MS = LEASE_MS + 2 * FLUSH_MS;
/** The judge checks leases at least so often. */
const CHECK_MS = 800;
const OPEN_MS = 1000;
const PROBE_INTERVAL_MS = 1000;
/** Less than between two checks, two flushes or two probes. */
const STEP_MS = 250;
const FIRST = '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f';
const SECOND = '7f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f';
const LOOPBACK = new AddressRules(['127.0.0.0/8', '::1/128']);
const LIVENESS = {
  circuitOpenMs: OPEN_MS,
  probeIntervalMs: PROBE_INTERVAL_MS,
  probeTimeoutMs: 700,
  probeAllow: LOOPBACK,
};

/** The server of a healthUrl. */
class Endpoint {
  status = 200;
  body = '';
  hangs = false;
  asked = 0;
  /** So many more are answered with a 500, whatever the status is. */
  failures = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    server.on('request', (_request, response) => {
      this.asked += 1;
      if (this.hangs) return;
      response.statusCode = this.failures > 0 ? 500 : this.status;
      this.failures = Math.max(0, this.failures - 1);
      response.end(this.body);
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

/** Keeps the notices of one namespace. */
class Receiver implements RegistryNotices {
  namespace: string;
  readonly notices: GuardNotice[] = [];
  /** What engaged the guard, each time. */
  readonly numbers: (GuardNumbers | null)[] = [];
  /** Changes of circuits, each as often as it was delivered. */
  readonly delivered: string[] = [];
  /** How deliveries end. */
  refusal: SwarmError | null = null;

  constructor(namespace = '') {
    this.namespace = namespace;
  }

  readonly guard = (namespace: string, notice: GuardNotice, numbers: GuardNumbers | null): void => {
    if (namespace !== this.namespace) return;
    this.notices.push(notice);
    if (notice === 'suspended') this.numbers.push(numbers);
  };

  readonly circuitChanged = async ({ namespace, name, circuit, revision }: CircuitChange): Promise<void> => {
    if (namespace !== this.namespace) return;
    this.delivered.push(`${name} ${circuit} ${revision}`);
    if (this.refusal !== null) throw this.refusal;
  };
}

export function livenessSuite(replicas: Replicas): void {
  // Time is held for these tests alone.
  describe('liveness', () => {
    livenessTests(replicas);
  });
}

function livenessTests(replicas: Replicas): void {
  let time: HeldTime;
  const stack: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    time = await HeldTime.hold(replicas.store);
  });
  afterAll(() => time.release());
  // Agents of other tests, whose leases were longer, would keep the judge busy.
  beforeEach(async () => {
    const { database, close } = await replicas.store.connect();
    await sql`delete from agents`.execute(database.kysely);
    await close();
  });
  afterEach(async () => {
    for (const undo of stack.splice(0).toReversed()) await undo();
  });

  const settings = (more: ReplicaOptions = {}): ReplicaOptions => ({
    leaseMs: LEASE_MS,
    clock: time.clock(),
    liveness: LIVENESS,
    ...more,
  });
  /** A replica that can be stopped. */
  const startStoppable = async (): Promise<{ replica: Replica; clock: HeldClock }> => {
    const clock = time.clock();
    return { replica: await replicas.start(settings({ clock })), clock };
  };
  const sendHeartbeat = async (swarm: Swarm, token: string): Promise<void> => {
    await swarm.registry.heartbeats.renew(await swarm.agent(token), undefined);
  };
  /** Heartbeats of an agent, three times a lease, as the SDK sends them. Returns what ends them. */
  const startHeartbeats = async (swarm: Swarm, token: string): Promise<() => void> => {
    await sendHeartbeat(swarm, token);
    const stop = repeat(time.clock(), LEASE_MS / 3, () => sendHeartbeat(swarm, token));
    stack.push(stop);
    return stop;
  };
  /** Agents that have been healthy for longer than any grace. Returns what ends the heartbeats of each. */
  const startHealthy = async (swarm: Swarm, names: readonly string[]): Promise<(() => void)[]> => {
    const stops: (() => void)[] = [];
    for (const name of names) stops.push(await startHeartbeats(swarm, await swarm.join(name)));
    await time.advance(2 * MISSED_MS);
    for (const name of names) expect(await statusOf(swarm, name)).toMatchObject({ health: 'healthy' });
    return stops;
  };
  const endpoint = async (): Promise<Endpoint> => {
    const opened = await Endpoint.open();
    stack.push(() => opened.close());
    return opened;
  };
  const statusOf = async (swarm: Swarm, name: string) => (await swarm.get(name)).status;
  /** Moves on until it is so: for what waits for real answers as well. */
  const movingUntil = (condition: () => Promise<void> | void): Promise<void> =>
    until(async () => {
      await time.advance(STEP_MS);
      await condition();
    }, 20_000);
  const untilStatus = (swarm: Swarm, name: string, status: object) =>
    movingUntil(async () => expect(await statusOf(swarm, name)).toMatchObject(status));
  /** Everything that was ever shown of an agent. */
  const shownOf = async (swarm: Swarm, name: string) =>
    (await swarm.history(name, { limit: 500 })).changes.map(({ change, agent: { status } }) => ({ change, ...status }));
  /** What a process shows that decided it earlier and was stopped before it could. */
  const showCircuit = async ({ replica, namespace }: Swarm, name: string, circuit: string): Promise<void> => {
    await sql`update agents set doc = jsonb_set(doc, '{status,circuit}', to_jsonb(${circuit}::text))
      where namespace = ${namespace} and name = ${name}`.execute(replica.database.kysely);
  };
  /** A new namespace through a replica whose notices go to `receiver`. */
  const receivingSwarm = async (receiver: Receiver): Promise<Swarm> => {
    const swarm = await replicas.swarm(settings({ notices: receiver }));
    receiver.namespace = swarm.namespace;
    return swarm;
  };
  /** A new namespace, and what its mass-failure guard makes known. */
  const guardedSwarm = async (): Promise<{ swarm: Swarm } & Pick<Receiver, 'notices' | 'numbers'>> => {
    const receiver = new Receiver();
    return { swarm: await receivingSwarm(receiver), notices: receiver.notices, numbers: receiver.numbers };
  };

  describe('a lease', () => {
    it('makes an agent healthy with the first heartbeat, unhealthy when it is missed, and healthy again', async () => {
      const swarm = await replicas.swarm(settings());
      const token = await swarm.join('ada');
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unknown' });
      await sendHeartbeat(swarm, token);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
      // The grace of a replica that has just begun, and a heartbeat.
      await time.advance(LEASE_MS);
      await sendHeartbeat(swarm, token);
      await time.advance(MISSED_MS - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy', circuit: 'closed' });
      await time.advance(CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy', circuit: 'closed' });
      expect((await statusOf(swarm, 'ada')).reason).toContain('missed its lease of 3 s');
      await sendHeartbeat(swarm, token);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
    });

    it('opens the circuit with the fourth miss, and heartbeats close it again', async () => {
      const swarm = await replicas.swarm(settings());
      const there = swarm.on(await replicas.start(settings()));
      const token = await swarm.join('ada');
      await time.advance(2 * LEASE_MS);
      await sendHeartbeat(swarm, token);
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy', circuit: 'closed' });
      await time.advance(CHECK_MS);
      const opened = { health: 'unhealthy', circuit: 'open', consecutiveFailures: 4 };
      expect(await statusOf(swarm, 'ada')).toMatchObject(opened);
      expect((await statusOf(swarm, 'ada')).reason).toContain('missed 4 leases');
      await until(async () => expect(await there.mirrored(token)).toMatchObject({ circuit: 'open' }));
      await startHeartbeats(swarm, token);
      await time.advance(OPEN_MS + 2 * LEASE_MS);
      const closed = { circuit: 'closed', health: 'healthy', consecutiveFailures: 0 };
      expect(await statusOf(swarm, 'ada')).toMatchObject(closed);
      const circuits = (await shownOf(swarm, 'ada')).map(({ circuit }) => circuit).toReversed();
      expect(circuits.filter((circuit, place) => circuit !== circuits[place - 1])).toEqual([
        'closed',
        'open',
        'half_open',
        'closed',
      ]);
    });

    it('removes an agent that is silent for long enough, and its token with it', async () => {
      const expireAfterMs = 3 * LEASE_MS;
      const swarm = await replicas.swarm(settings({ liveness: { ...LIVENESS, expireAfterMs } }));
      const watcher = swarm.watch();
      await watcher.synced();
      const token = await swarm.join('ada');
      await time.advance(expireAfterMs - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy' });
      await time.advance(CHECK_MS);
      expect(await codeOf(swarm.get('ada'))).toBe('NOT_FOUND');
      await until(() => expect(watcher.changes.at(-1)).toMatchObject({ change: 'expired' }));
      expect(await codeOf(swarm.agent(token))).toBe('UNAUTHENTICATED');
    });

    it('is not judged by a replica that has started less than a lease ago', async () => {
      const first = await replicas.swarm(settings({ leaseMs: 60_000 }));
      await sendHeartbeat(first, await first.join('ada'));
      await first.replica.close();
      // Silent for far longer than the lease of the replica that starts now.
      await time.advance(3 * LEASE_MS);
      const second = first.on(await replicas.start(settings()));
      await time.advance(MISSED_MS - 1);
      expect(await statusOf(second, 'ada')).toMatchObject({ health: 'healthy' });
      await time.advance(CHECK_MS);
      expect(await statusOf(second, 'ada')).toMatchObject({ health: 'unhealthy' });
    });

    it('is judged by another replica when the judging one has stopped, a lease later', async () => {
      const { replica, clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const [stop] = await startHealthy(swarm, ['ada']);
      stop?.();
      clock.stopped = true;
      await time.advance(DUTY_MS + MISSED_MS - 1);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
      await time.advance(2 * CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'unhealthy' });
      await replica.close();
    });

    it.each([
      ['nearly half a lease', LEASE_MS / 2 - 100],
      ['nearly a lease', DUTY_MS - 100],
      ['three leases', 3 * LEASE_MS],
    ])('of an agent with heartbeats is not missed by a judge that was stopped for %s', async (_, stillMs) => {
      const { clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const names = ['ada', 'eve'];
      await startHealthy(swarm, names);
      for (let pause = 0; pause < 3; pause += 1) {
        clock.stopped = true;
        await time.advance(stillMs);
        clock.stopped = false;
        await time.advance(CHECK_MS);
      }
      await time.advance(MISSED_MS);
      for (const name of names) {
        expect((await shownOf(swarm, name)).map(({ health }) => health)).not.toContain('unhealthy');
      }
    });

    it('is not missed while the received heartbeats cannot be written', async () => {
      const swarm = await replicas.swarm(settings());
      await startHealthy(swarm, ['ada']);
      const { kysely } = swarm.replica.database;
      await sql`create function refuse() returns trigger language plpgsql as 'begin raise ''refused''; end'`.execute(
        kysely,
      );
      await sql`create trigger refuse before update of last_seen_at on agents execute function refuse()`.execute(
        kysely,
      );
      try {
        await time.advance(3 * LEASE_MS);
        expect(swarm.replica.errors).not.toEqual([]);
      } finally {
        await sql`drop function refuse cascade`.execute(kysely);
      }
      await time.advance(2 * LEASE_MS);
      expect((await shownOf(swarm, 'ada')).map(({ health }) => health)).not.toContain('unhealthy');
    });

    it('lets a half-open circuit close by heartbeats, however seldom the judge checks', async () => {
      const { replica, clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const token = await swarm.join('ada');
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      await startHeartbeats(swarm, token);
      // It keeps the duty, and checks once in more than half a lease.
      for (let check = 0; check < 6; check += 1) {
        clock.stopped = true;
        await time.advance(DUTY_MS - STEP_MS);
        clock.stopped = false;
        await time.advance(0);
      }
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', health: 'healthy' });
      const opened = (await shownOf(swarm, 'ada')).filter(
        ({ circuit, health }) => circuit === 'open' && health === 'unhealthy',
      );
      expect(opened).toHaveLength(1);
      await replica.close();
    });
  });

  describe('a circuit', () => {
    it('is tripped by an operator until it is reset, whatever the heartbeats', async () => {
      const swarm = await replicas.swarm(settings());
      await startHealthy(swarm, ['ada']);
      const { namespace } = swarm;
      const tripped = await swarm.registry.circuits.trip({ namespace, name: 'ada', reason: 'runaway' });
      expect(tripped.status).toMatchObject({ circuit: 'open', reason: 'runaway' });
      await time.advance(10 * OPEN_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'open', health: 'healthy' });
      expect((await swarm.registry.circuits.reset({ namespace, name: 'ada' })).status).toMatchObject({
        circuit: 'closed',
      });
      expect(await codeOf(swarm.registry.circuits.trip({ namespace, name: 'nobody' }))).toBe('NOT_FOUND');
    });

    it('opens, and is tried again, in half a second, however long the lease is', async () => {
      const swarm = await replicas.swarm(settings({ leaseMs: 60_000 }));
      await sendHeartbeat(swarm, await swarm.join('ada'));
      // Between two checks of all agents.
      await time.advance(1000);
      const { id, incarnation, status } = await swarm.get('ada');
      const successAt = Date.parse(status.lastSeenAt ?? '');
      const memory = { ...freshMemory(id, incarnation), circuit: { ...freshCircuit, failures: 4 }, successAt };
      await sql`update agents set liveness = ${JSON.stringify(memory)}::jsonb where id = ${id}`.execute(
        swarm.replica.database.kysely,
      );
      await time.advance(500);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'open', consecutiveFailures: 4 });
      await time.advance(OPEN_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'half_open' });
    });

    it('is shown as it is remembered, also after a process that was stopped has shown another', async () => {
      const swarm = await replicas.swarm(settings());
      await startHealthy(swarm, ['ada']);
      await showCircuit(swarm, 'ada', 'half_open');
      await time.advance(5000 + STEP_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', health: 'healthy' });
    });

    it('that failures opened is that of the process: it stays with a registration of the same one, and with no other', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.join('ada', { incarnation: FIRST });
      // No heartbeat comes, so nothing but another process closes it.
      await time.advance(5 * LEASE_MS);
      await untilStatus(swarm, 'ada', { circuit: 'half_open' });
      await swarm.join('ada', { incarnation: FIRST, version: '2.0.0' });
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'half_open' });
      await swarm.join('ada', { incarnation: SECOND });
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
      // Nor does the memory of the one before come back with the next check.
      await time.advance(CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
    });
  });

  describe('a trip', () => {
    const open = { circuit: 'open', circuitOpenUntil: null, reason: 'runaway' };
    const trip = ({ registry, namespace }: Swarm, name: string) =>
      registry.circuits.trip({ namespace, name, reason: 'runaway' });
    const reset = ({ registry, namespace }: Swarm, name: string) => registry.circuits.reset({ namespace, name });

    it('holds for new processes and new agents of the name from their first moment, until its reset', async () => {
      const swarm = await replicas.swarm(settings());
      const there = swarm.on(await replicas.start(settings()));
      await swarm.join('ada', { incarnation: FIRST });
      await trip(swarm, 'ada');
      const mirrored = { circuit: 'open', circuitReason: 'runaway' };
      let newest = '';
      const begin = async (by: string, more: object) => {
        const { agent, token } = await there.register('ada', more);
        expect({ by, ...agent.status }).toMatchObject({ by, ...open });
        // Where it registered, and where its token is looked up.
        expect({ by, ...(await there.mirrored(token ?? '')) }).toMatchObject({ by, ...mirrored });
        expect({ by, ...(await swarm.mirrored(token ?? '')) }).toMatchObject({ by, ...mirrored });
        newest = token ?? '';
      };
      await begin('a new incarnation', { incarnation: SECOND });
      await begin('a registration that changes something', { incarnation: SECOND, version: '2.0.0' });
      await swarm.deregister('ada');
      await begin('an agent that is created again', { incarnation: crypto.randomUUID() });
      await swarm.deregister('ada');
      await begin('an agent of another role', { role: 'qa' });
      // Neither heartbeats nor time end it.
      await startHeartbeats(swarm, newest);
      await time.advance(10 * OPEN_MS + 5000);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ ...open, health: 'healthy' });
      const shown = (await shownOf(swarm, 'ada')).slice(0, -1).map(({ circuit }) => circuit);
      expect(new Set(shown)).toEqual(new Set(['open']));

      expect((await reset(swarm, 'ada')).status).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
      expect((await swarm.register('ada', { role: 'qa', version: '2.0.0' })).agent.status.circuit).toBe('closed');
      await time.advance(CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed' });
    });

    it('holds after the agent has expired, and is taken back while no agent has the name', async () => {
      const expireAfterMs = 3 * LEASE_MS;
      const swarm = await replicas.swarm(settings({ liveness: { ...LIVENESS, expireAfterMs } }));
      const { agent } = await swarm.register('ada');
      await trip(swarm, 'ada');
      await time.advance(expireAfterMs + CHECK_MS);
      await movingUntil(async () => expect(await codeOf(swarm.get('ada'))).toBe('NOT_FOUND'));
      expect((await swarm.register('ada')).agent.status).toMatchObject(open);
      await swarm.deregister('ada');

      expect((await trip(swarm, 'ada')).status).toMatchObject(open);
      expect(await reset(swarm, 'ada')).toMatchObject({ id: agent.id, name: 'ada', status: { circuit: 'closed' } });
      expect(await codeOf(reset(swarm, 'ada'))).toBe('NOT_FOUND');
      expect((await swarm.register('ada')).agent.status).toMatchObject({ circuit: 'closed', reason: null });
    });

    it('is known to every registration that is answered after it, however many run at the same time', async () => {
      const swarm = await replicas.swarm(settings());
      const there = swarm.on(await replicas.start(settings()));
      for (let round = 0; round < 5; round += 1) {
        const name = `ada-${round}`;
        await swarm.register(name);
        let tripped = false;
        const registrations = Array.from({ length: 20 }, async (_, i) => {
          const isBegunAfter = tripped;
          if (i % 5 === 4) await there.deregister(name).catch(() => undefined);
          const { agent } = await (i % 2 === 0 ? swarm : there).register(name, { incarnation: crypto.randomUUID() });
          if (isBegunAfter) expect(agent.status).toMatchObject(open);
        });
        await trip(swarm, name).then(
          () => (tripped = true),
          (error: unknown) => expect(error).toMatchObject({ code: 'NOT_FOUND' }),
        );
        await Promise.all(registrations);
        if (!tripped) continue;
        expect(await statusOf(swarm, name)).toMatchObject(open);
        await swarm.deregister(name);
        expect((await there.register(name)).agent.status).toMatchObject(open);
      }
    });

    it('is shown soon where a replica of a release without such trips has registered the agent', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.join('ada', { incarnation: FIRST });
      await trip(swarm, 'ada');
      await sql`update agents set incarnation = ${SECOND}, liveness = null, doc = jsonb_set(jsonb_set(doc, '{status,circuit}', '"closed"'),
        '{incarnation}', to_jsonb(${SECOND}::text)) where namespace = ${swarm.namespace} and name = 'ada'`.execute(
        swarm.replica.database.kysely,
      );
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed' });
      await time.advance(500);
      expect(await statusOf(swarm, 'ada')).toMatchObject(open);
    });
  });

  describe('a trip by a replica of a release without trips by name', () => {
    it('is kept by name soon', async () => {
      const swarm = await replicas.swarm(settings());
      const { agent } = await swarm.register('ada', { incarnation: FIRST });
      const circuit = { ...freshCircuit, circuit: 'open', tripped: true, reason: 'runaway' } as const;
      const memory = { ...freshMemory(agent.id, FIRST), circuit };
      await sql`update agents set liveness = ${JSON.stringify(memory)}::jsonb where id = ${agent.id}`.execute(
        swarm.replica.database.kysely,
      );
      await time.advance(5000 + STEP_MS);
      const { status } = (await swarm.register('ada', { incarnation: SECOND })).agent;
      expect(status).toMatchObject({ circuit: 'open', circuitOpenUntil: null, reason: 'runaway' });
      await swarm.registry.circuits.reset({ namespace: swarm.namespace, name: 'ada' });
      await time.advance(5000 + STEP_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed' });
    });
  });

  describe('a change of a circuit', () => {
    const trip = (swarm: Swarm, name: string) => swarm.registry.circuits.trip({ namespace: swarm.namespace, name });

    it('is delivered once, by one replica, in the order of commits', async () => {
      const receiver = new Receiver();
      const swarm = await receivingSwarm(receiver);
      const another = new Receiver(swarm.namespace);
      const there = swarm.on(await replicas.start(settings({ notices: another })));
      const delivered = () => [...receiver.delivered, ...another.delivered];
      await swarm.register('ada');
      const { revision } = await trip(swarm, 'ada');
      await until(() => expect(delivered()).toEqual([`ada open ${revision}`]));
      await trip(there, 'ada');
      const reset = await there.registry.circuits.reset({ namespace: swarm.namespace, name: 'ada' });
      await until(() => expect(delivered()).toContain(`ada closed ${reset.revision}`));
      await time.advance(2 * OUTBOX_CLAIM_MS);
      expect(delivered()).toHaveLength(2);
    });

    it('is delivered by another replica when the one that committed it does not', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.register('ada');
      const { revision } = await trip(swarm, 'ada');
      const receiver = new Receiver(swarm.namespace);
      await replicas.start(settings({ notices: receiver }));
      await until(() => expect(receiver.delivered).toEqual([`ada open ${revision}`]));
    });

    it('is delivered again after a failure, until it is taken or no retry can help', async () => {
      const receiver = new Receiver();
      const swarm = await receivingSwarm(receiver);
      receiver.refusal = new SwarmError('UNAVAILABLE', 'the bus is unavailable');
      await swarm.register('ada');
      await trip(swarm, 'ada');
      await until(() => expect(receiver.delivered).toHaveLength(1));
      await time.advance(OUTBOX_CLAIM_MS - 1);
      expect(receiver.delivered).toHaveLength(1);
      await time.advance(OUTBOX_POLL_MS);
      expect(receiver.delivered).toHaveLength(2);
      receiver.refusal = new SwarmError('INVALID_INPUT', 'this is never taken');
      await time.advance(OUTBOX_CLAIM_MS + OUTBOX_POLL_MS);
      expect(receiver.delivered).toHaveLength(3);
      await time.advance(10 * OUTBOX_CLAIM_MS);
      expect(receiver.delivered).toHaveLength(3);
    });

    it('is deleted after a day when no replica delivers it', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.register('ada');
      await trip(swarm, 'ada');
      await swarm.replica.close();
      await time.advance(86_400_001);
      await replicas.start(settings());
      // Until it applies retention by itself.
      await time.advance(37_500);
      const receiver = new Receiver(swarm.namespace);
      await replicas.start(settings({ notices: receiver }));
      await time.advance(OUTBOX_POLL_MS);
      expect(receiver.delivered).toEqual([]);
    });
  });

  describe('a healthUrl', () => {
    it('is probed: three failures are nothing, more open the circuit, two good ones close it', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      const token = await swarm.join('ada', { healthUrl: there.url });
      await startHeartbeats(swarm, token);
      await untilStatus(swarm, 'ada', { health: 'healthy' });
      there.failures = 3;
      await untilStatus(swarm, 'ada', { health: 'unhealthy', reason: PROBE_FAILED });
      expect((await swarm.get('ada', true)).status.reason).toContain('500');
      await untilStatus(swarm, 'ada', { health: 'healthy', consecutiveFailures: 0 });
      expect((await shownOf(swarm, 'ada')).map(({ circuit }) => circuit)).not.toContain('open');
      there.status = 500;
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      expect((await statusOf(swarm, 'ada')).consecutiveFailures).toBeGreaterThanOrEqual(4);
      await untilStatus(swarm, 'ada', { circuit: 'half_open' });
      // A bad trial.
      await untilStatus(swarm, 'ada', { circuit: 'open' });
      await untilStatus(swarm, 'ada', { circuit: 'half_open' });
      there.status = 200;
      await untilStatus(swarm, 'ada', { circuit: 'closed', health: 'healthy' });
    });

    it('is shared out among replicas, never probed by two in one round, and taken over', async () => {
      const swarm = await replicas.swarm(settings());
      const other = await replicas.start(settings());
      const there = await endpoint();
      await swarm.register('ada', { healthUrl: there.url });
      await movingUntil(() => expect(there.asked).toBeGreaterThan(0));
      const before = { asked: there.asked, at: time.now };
      await movingUntil(() => expect(there.asked).toBeGreaterThan(before.asked + 8));
      // Nine rounds, each shorter by a tenth at most. Two replicas that both probe would take half the time.
      expect(time.now - before.at).toBeGreaterThan(8 * PROBE_INTERVAL_MS * 0.9);
      await other.close();
      const then = there.asked;
      await movingUntil(() => expect(there.asked).toBeGreaterThan(then + 2));
    });

    it('that answers makes the shown circuit the remembered one, also before a judge checks', async () => {
      const { replica, clock } = await startStoppable();
      await time.advance(CHECK_MS);
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      await swarm.register('ada', { healthUrl: there.url });
      await untilStatus(swarm, 'ada', { health: 'healthy' });
      clock.stopped = true;
      const stoppedAt = time.now;
      await showCircuit(swarm, 'ada', 'half_open');
      await untilStatus(swarm, 'ada', { circuit: 'closed', health: 'healthy' });
      expect(time.now - stoppedAt).toBeLessThan(DUTY_MS);
      await replica.close();
    });

    it('that hangs fails an agent that is ready, and not one that is busy and sends heartbeats', async () => {
      const swarm = await replicas.swarm(settings());
      const [there, elsewhere] = [await endpoint(), await endpoint()];
      await startHeartbeats(swarm, await swarm.join('ada', { healthUrl: there.url }));
      await startHeartbeats(swarm, await swarm.join('eve', { healthUrl: elsewhere.url }));
      there.body = '{"status":"busy"}';
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'busy' });
      await untilStatus(swarm, 'eve', { health: 'healthy', activity: 'ready' });
      there.hangs = true;
      elsewhere.hangs = true;
      for (let failures = 1; failures <= 4; failures += 1) {
        await time.advance(PROBE_INTERVAL_MS);
        // The probes end in real time, of which far more passes here.
        await until(async () => {
          await time.advance(1);
          expect((await statusOf(swarm, 'eve')).consecutiveFailures).toBeGreaterThanOrEqual(failures);
        });
      }
      await untilStatus(swarm, 'eve', { health: 'unhealthy', circuit: 'open' });
      expect(there.asked).toBeGreaterThan(3);
      expect(await statusOf(swarm, 'ada')).toMatchObject({
        health: 'healthy',
        circuit: 'closed',
        consecutiveFailures: 0,
      });
    });

    it('that fails is no failure of an agent that is paused', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      await startHeartbeats(swarm, await swarm.join('ada', { healthUrl: there.url }));
      there.body = '{"status":"paused"}';
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'paused' });
      there.status = 500;
      const { asked } = there;
      await movingUntil(() => expect(there.asked).toBeGreaterThan(asked + 5));
      const shown = { health: 'healthy', activity: 'paused', circuit: 'closed', consecutiveFailures: 0 };
      expect(await statusOf(swarm, 'ada')).toMatchObject(shown);
    });

    it('may report that the agent is busy, and its status shows so', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      there.body = '{"status":"busy"}';
      await swarm.register('ada', { healthUrl: there.url });
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'busy' });
      there.body = '{"status":"ready"}';
      await untilStatus(swarm, 'ada', { health: 'healthy', activity: 'ready' });
    });

    it('that fails has one reason for agents, whatever it is that failed, and the details are for operators', async () => {
      const swarm = await replicas.swarm(settings());
      const there = await endpoint();
      there.status = 418;
      const closed = await Endpoint.open();
      const { url: refused } = closed;
      await closed.close();
      const urls = { status: there.url, refused, blocked: 'http://169.254.169.254/' };
      for (const [name, healthUrl] of Object.entries(urls)) await swarm.register(name, { healthUrl });
      for (const name of Object.keys(urls)) await untilStatus(swarm, name, { health: 'unhealthy' });
      const details = new Set<string | null>();
      for (const name of Object.keys(urls)) {
        expect(await statusOf(swarm, name)).toMatchObject({ reason: PROBE_FAILED });
        for (const { reason } of await shownOf(swarm, name)) expect([null, PROBE_FAILED]).toContain(reason);
        details.add((await swarm.get(name, true)).status.reason);
      }
      expect(details.size).toBe(3);
      there.status = 200;
      await untilStatus(swarm, 'status', { health: 'healthy', reason: null });
      expect((await swarm.get('status', true)).status.reason).toBeNull();
    });

    it('that may not be probed is a failure whose details name that', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.register('ada', { healthUrl: 'http://169.254.169.254/latest/meta-data' });
      await untilStatus(swarm, 'ada', { health: 'unhealthy', reason: PROBE_FAILED });
      expect((await swarm.get('ada', true)).status.reason).toContain('never probed');
    });
  });

  describe('the mass-failure guard', () => {
    const names = Array.from({ length: 12 }, (_, i) => `ada-${i}`);
    const hasOpened = async (swarm: Swarm, name: string): Promise<void> =>
      expect((await shownOf(swarm, name)).map(({ circuit }) => circuit)).toContain('open');
    /** Until agents that were registered now count. */
    const untilTheyCount = () => time.advance(LEASES_TO_COUNT * LEASE_MS);

    it('suspends liveness when half of the agents fail together, and resumes it; agents that stay away are tripped then', async () => {
      const { swarm, notices, numbers } = await guardedSwarm();
      const stops = await startHealthy(swarm, names);
      await untilTheyCount();
      for (const stop of stops.slice(0, 8)) stop();
      await time.advance(MISSED_MS + LEASE_MS / 3 + CHECK_MS);
      expect(notices).toEqual(['suspended']);
      expect(numbers).toEqual([{ healthyBefore: 12, failing: 8 }]);
      expect(swarm.registry.suspended()).toEqual([swarm.namespace]);
      await movingUntil(() => expect(notices).toEqual(['suspended', 'resumed']));
      expect(swarm.registry.suspended()).toEqual([]);
      for (const name of names.slice(0, 8)) {
        expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed', health: 'unhealthy' });
      }
      await time.advance(4 * LEASE_MS + CHECK_MS);
      for (const name of names.slice(0, 8)) {
        expect((await shownOf(swarm, name)).map(({ circuit }) => circuit)).toContain('open');
      }
      for (const name of names.slice(8)) {
        expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed', health: 'healthy' });
      }
      expect(notices).toEqual(['suspended', 'resumed']);
    });

    it('suspends liveness for a fleet whose last heartbeats came at different times within a lease', async () => {
      const { swarm, notices } = await guardedSwarm();
      const tokens = await Promise.all(names.map((name) => swarm.join(name)));
      const stops = await Promise.all(tokens.map((token) => startHeartbeats(swarm, token)));
      await untilTheyCount();
      for (const stop of stops) stop();
      for (const [place, token] of tokens.entries()) {
        if (place >= 7) await startHeartbeats(swarm, token);
        else if (place < 4) await sendHeartbeat(swarm, token);
      }
      await time.advance(LEASE_MS - 100);
      for (const token of tokens.slice(4, 7)) await sendHeartbeat(swarm, token);
      await time.advance(5 * LEASE_MS);
      expect(notices).toContain('suspended');
      for (const name of names) expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed' });
    });

    it('forgets the failures that probes have counted meanwhile', async () => {
      const { swarm, notices } = await guardedSwarm();
      const there = await endpoint();
      for (const name of names.slice(0, 6)) await swarm.register(name, { healthUrl: there.url });
      for (const name of names.slice(0, 6)) await untilStatus(swarm, name, { health: 'healthy' });
      const registeredAt = Date.parse((await swarm.get('ada-5')).registeredAt);
      await movingUntil(() => expect(time.now - registeredAt).toBeGreaterThan(LEASES_TO_COUNT * LEASE_MS));
      there.status = 500;
      await movingUntil(() => expect(notices).toEqual(['suspended', 'resumed']));
      for (const name of names.slice(0, 6)) expect(await statusOf(swarm, name)).toMatchObject({ circuit: 'closed' });
      there.status = 200;
      for (const name of names.slice(0, 6)) await untilStatus(swarm, name, { health: 'healthy' });
      for (const name of names.slice(0, 6)) {
        expect((await shownOf(swarm, name)).map(({ circuit }) => circuit)).not.toContain('open');
      }
    });

    it('is not engaged by agents that have lived for less than ten leases, and agents of others are tripped meanwhile', async () => {
      const { swarm, notices } = await guardedSwarm();
      const [stop] = await startHealthy(swarm, names.slice(0, 6));
      await untilTheyCount();
      const hostile = Array.from({ length: 20 }, (_, i) => `mallory-${i}`);
      for (const name of hostile) await sendHeartbeat(swarm, await swarm.join(name));
      stop?.();
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS + LEASE_MS / 3 + CHECK_MS);
      for (const name of ['ada-0', ...hostile]) await hasOpened(swarm, name);
      expect(notices).toEqual([]);
    });

    it('is not engaged again within an hour by agents that were registered after it had engaged', async () => {
      const { swarm, notices } = await guardedSwarm();
      const stops = await startHealthy(swarm, names);
      await untilTheyCount();
      for (const stop of stops.slice(0, 6)) stop();
      await movingUntil(() => expect(notices).toEqual(['suspended', 'resumed']));
      const hostile = Array.from({ length: 20 }, (_, i) => `mallory-${i}`);
      const ends = await Promise.all(hostile.map(async (name) => startHeartbeats(swarm, await swarm.join(name))));
      await untilTheyCount();
      for (const end of ends) end();
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS + LEASE_MS / 3 + CHECK_MS);
      for (const name of hostile) await hasOpened(swarm, name);
      expect(notices).toEqual(['suspended', 'resumed']);
    });

    it('is not engaged by a few agents that never answered, nor by one that vanishes', async () => {
      const { swarm, notices } = await guardedSwarm();
      const [stop] = await startHealthy(swarm, names.slice(0, 8));
      for (let fake = 0; fake < 6; fake += 1) await swarm.register(`fake-${fake}`);
      stop?.();
      await time.advance(4 * LEASE_MS + 2 * FLUSH_MS + CHECK_MS);
      expect(await statusOf(swarm, 'ada-0')).toMatchObject({ circuit: 'open' });
      expect(await statusOf(swarm, 'fake-0')).toMatchObject({ circuit: 'open' });
      expect(notices).toEqual([]);
    });
  });
}
