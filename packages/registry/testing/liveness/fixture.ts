// What the suites of liveness share: replicas in time that tests move, agents that send heartbeats, and servers of a healthUrl.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { SwarmError } from '@hypercode/contracts';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest';
import { repeat } from '@hypercode/clock';
import type { HeldClock } from '@hypercode/clock/testing';
import type { RegistryNotices } from '../../src/create-registry.ts';
import { HeldTime } from '../../test/held-time.ts';
import type { GuardNotice, GuardNumbers } from '../../src/liveness/mass-failure-guard.ts';
import type { CircuitChange } from '../../src/liveness/queries/claim-circuit-changes.ts';
import { AddressRules } from '../../src/probes/address-rules.ts';
import { type Replica, type ReplicaOptions, type Replicas, type Swarm, until } from '../../test/swarm.ts';

export const LEASE_MS = 3000;
export const FLUSH_MS = LEASE_MS / 6;
/** When a lease that is not renewed is missed: after itself and two flushes. */
export const MISSED_MS = LEASE_MS + 2 * FLUSH_MS;
/** The judge checks leases at least so often. */
export const CHECK_MS = 800;
export const OPEN_MS = 1000;
export const PROBE_INTERVAL_MS = 1000;
/** Less than between two checks, two flushes or two probes. */
export const STEP_MS = 250;
export const FIRST = '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f';
export const SECOND = '7f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f';
const LOOPBACK = new AddressRules(['127.0.0.0/8', '::1/128']);
export const LIVENESS = {
  circuitOpenMs: OPEN_MS,
  probeIntervalMs: PROBE_INTERVAL_MS,
  probeTimeoutMs: 700,
  probeAllow: LOOPBACK,
};

/** The server of a healthUrl. */
export class Endpoint {
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
export class Receiver implements RegistryNotices {
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

export type LivenessFixture = ReturnType<typeof livenessFixture>;

/** Holds the time of the tests that follow, and ends after each what it has begun. */
export function livenessFixture(replicas: Replicas) {
  let held: HeldTime;
  const time = {
    /** Milliseconds since the epoch. */
    get now(): number {
      return held.now;
    },
    clock: () => held.clock(),
    advance: (ms: number) => held.advance(ms),
  };
  const stack: (() => Promise<void> | void)[] = [];
  beforeAll(async () => {
    held = await HeldTime.hold(replicas.store);
  });
  afterAll(() => held.release());
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
    await swarm.registry.heartbeats.renew(await swarm.agent(token));
  };
  /** Heartbeats of an agent, three times a lease, as the SDK sends them. Returns what ends them. */
  const startHeartbeats = async (swarm: Swarm, token: string, leaseMs = LEASE_MS): Promise<() => void> => {
    await sendHeartbeat(swarm, token);
    const stop = repeat(time.clock(), leaseMs / 3, () => sendHeartbeat(swarm, token));
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
  const receivingSwarm = async (receiver: Receiver, more: ReplicaOptions = {}): Promise<Swarm> => {
    const swarm = await replicas.swarm(settings({ notices: receiver, ...more }));
    receiver.namespace = swarm.namespace;
    return swarm;
  };
  /** A new namespace, and what its mass-failure guard makes known. */
  const guardedSwarm = async (
    more: ReplicaOptions = {},
  ): Promise<{ swarm: Swarm } & Pick<Receiver, 'notices' | 'numbers'>> => {
    const receiver = new Receiver();
    return { swarm: await receivingSwarm(receiver, more), notices: receiver.notices, numbers: receiver.numbers };
  };

  return {
    replicas,
    time,
    settings,
    startStoppable,
    sendHeartbeat,
    startHeartbeats,
    startHealthy,
    endpoint,
    statusOf,
    movingUntil,
    untilStatus,
    shownOf,
    showCircuit,
    receivingSwarm,
    guardedSwarm,
  };
}
