// Administration of consumer groups on one core, while members work on the other under a load of publishes and acknowledgements: every
// call, by each kind of token, twice, and on a group that does not exist. The other core obeys within a second, and what is in flight counts.
import { createSwarmClient, type SwarmClient, SwarmError } from '@hypercode/client';
import type { GroupEvent, TokenKind } from '@hypercode/contracts';
import { freshDatabase, sharedRedisUrl, type SpawnedCore, waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const ADMIN = 'the-same-admin-token-on-both';
const OBEYED_MS = 1000;
/** Between two events of a publisher. */
const PACE_MS = 20;
const PATIENCE = { timeoutMs: 60_000 };
const SETTINGS = { topics: ['work.a'], ackDeadlineMs: 60_000, maxDeliveries: 2, from: 'earliest' as const };

type DeliveryEvent = Extract<GroupEvent, { type: 'delivery' }>;

/** A member that acknowledges what comes, but for the first deliveries, which it keeps in flight. */
class Member {
  readonly deliveries: DeliveryEvent[] = [];
  readonly bookmarks: Extract<GroupEvent, { type: 'bookmark' }>[] = [];
  readonly held: DeliveryEvent[] = [];
  refusal: SwarmError | null = null;
  readonly #stopping = new AbortController();
  readonly #running: Promise<void>;

  constructor(client: SwarmClient, group: string, { holds }: { holds: number }) {
    this.#running = this.#run(client, group, holds).catch((error: unknown) => {
      this.refusal = SwarmError.from(error);
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #run(client: SwarmClient, group: string, holds: number): Promise<void> {
    for await (const value of client.deliveries({ group, ...SETTINGS, signal: this.#stopping.signal })) {
      if (value.type === 'bookmark') this.bookmarks.push(value);
      if (value.type !== 'delivery') continue;
      this.deliveries.push(value);
      if (this.held.length < holds) this.held.push(value);
      else await client.bus.ack({ group, deliveryIds: [value.deliveryId] }).catch(() => undefined);
    }
  }
}

/** What an operator does, and what the members on the other core are then to see. */
interface Act {
  /** Makes it possible, by an operator who has done nothing else. */
  prepare?: (operator: SwarmClient, group: string, held: DeliveryEvent) => Promise<unknown>;
  call: (client: SwarmClient, group: string) => Promise<object>;
  once: object;
  /** A code: the second call is refused. */
  twice: object | string;
  /** Whether the other core has obeyed, as its member sees it; `before` is how many deliveries the member had. */
  obeyed: (
    member: Member,
    before: number,
    seen: { operator: SwarmClient; group: string },
  ) => boolean | Promise<boolean>;
  /** How many an acknowledgement settles of what was in flight; a code: it is refused. */
  settles: number | string;
}

const die = async (operator: SwarmClient, group: string, { deliveryId }: DeliveryEvent): Promise<void> => {
  await operator.groups.update({ group, set: { maxDeliveries: 1 } });
  await operator.bus.nack({ group, deliveryIds: [deliveryId] });
};
const again = ({ deliveries, held }: Member, before: number): boolean =>
  deliveries.slice(before).some(({ position }) => position === held[0]?.position);

const ACTS: Record<string, Act> = {
  pause: {
    call: (client, group) => client.groups.pause({ group }),
    once: { changed: true },
    twice: { changed: false },
    obeyed: ({ bookmarks }) => bookmarks.at(-1)?.paused === true,
    settles: 1,
  },
  resume: {
    prepare: (operator, group) => operator.groups.pause({ group }),
    call: (client, group) => client.groups.resume({ group }),
    once: { changed: true },
    twice: { changed: false },
    obeyed: ({ deliveries }, before) => deliveries.length > before,
    settles: 1,
  },
  update: {
    call: (client, group) => client.groups.update({ group, set: { topics: ['work.b'] } }),
    once: { changed: true },
    twice: { changed: false },
    obeyed: ({ deliveries }) => deliveries.at(-1)?.event.topic === 'work.b',
    settles: 1,
  },
  seek: {
    call: (client, group) => client.groups.seek({ group, to: 'earliest', dropOpen: true }),
    once: { dropped: expect.any(Number) },
    twice: { dropped: expect.any(Number) },
    obeyed: again,
    settles: 0,
  },
  delete: {
    call: (client, group) => client.groups.delete({ group }),
    once: { groupId: expect.any(String) },
    twice: 'NOT_FOUND',
    obeyed: ({ refusal }) => refusal?.code === 'NOT_FOUND' && Object(refusal.details).deleted === true,
    settles: 'NOT_FOUND',
  },
  redrive: {
    prepare: die,
    call: (client, group) => client.bus.redrive({ group, all: true }),
    once: { count: 1 },
    twice: { count: 0 },
    obeyed: again,
    settles: 1,
  },
  discard: {
    prepare: die,
    call: (client, group) => client.bus.discard({ group, all: true }),
    once: { count: 1 },
    twice: { count: 0 },
    obeyed: async (_member, _before, { operator, group }) =>
      (await operator.bus.deadLetters({ group })).deadLetters.length === 0,
    settles: 1,
  },
};

const codeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no refusal',
    (error: unknown) => SwarmError.from(error).code,
  );

describe.each([
  { stores: 'PostgreSQL and Redis', withRedis: true },
  { stores: 'PostgreSQL alone', withRedis: false },
])('on $stores', ({ withRedis }) => {
  const stack: (() => Promise<unknown> | void)[] = [];
  let cores: readonly [SpawnedCore, SpawnedCore];
  /** Of the first core, by kind of token. */
  const clients = new Map<TokenKind | 'agent', SwarmClient>();
  let remote: SwarmClient;
  const clientOf = (core: SpawnedCore, token = ADMIN): SwarmClient => {
    const client = createSwarmClient({ url: core.url, token, logger: false });
    stack.push(() => client.close());
    return client;
  };
  const by = (kind: TokenKind | 'agent'): SwarmClient => clients.get(kind) ?? clientOf(cores[0]);

  beforeAll(async () => {
    const env = {
      DATABASE_URL: await freshDatabase(),
      REDIS_URL: withRedis ? sharedRedisUrl() : '',
      SWARM_REDIS_PREFIX: `steering-${randomUUID()}`,
      SWARM_ADMIN_TOKEN: ADMIN,
    };
    const startOne = async (): Promise<SpawnedCore> => {
      const core = await spawnCore({ env });
      stack.push(() => core.close());
      return core;
    };
    cores = await Promise.all([startOne(), startOne()]);
    const admin = clientOf(cores[0]);
    clients.set('admin', admin);
    for (const kind of ['operator', 'viewer', 'join'] as const) {
      const { token } = await admin.tokens.create({ kind, name: `the ${kind}` });
      clients.set(kind, clientOf(cores[0], token));
    }
    const { token } = await admin.registry.register({ name: 'ada', role: 'worker', version: '1.0.0' });
    clients.set('agent', clientOf(cores[0], token));
    remote = clientOf(cores[1]);

    // The load: publishers on both cores, and a group whose members on both acknowledge everything.
    let isOver = false;
    const publish = async (client: SwarmClient): Promise<void> => {
      for (let n = 0; !isOver; n += 1) {
        await client.publish(n % 2 === 0 ? 'work.a' : 'work.b', n);
        await delay(PACE_MS);
      }
    };
    const publishing = Promise.all([admin, admin, remote, remote].map(publish));
    const load = { group: 'load', topics: ['work.>'], from: 'earliest' as const };
    for (const client of [admin, remote]) {
      const consumer = client.consume(load, () => undefined);
      stack.push(() => consumer.stop());
    }
    stack.push(async () => {
      isOver = true;
      await publishing;
    });
  }, 120_000);
  afterAll(async () => {
    for (const undo of stack.splice(0).toReversed()) await undo();
  });

  test.each(Object.entries(ACTS))('%s on one core is obeyed on the other within a second', async (name, act) => {
    const group = `of-${name}`;
    const member = new Member(remote, group, { holds: 2 });
    stack.push(() => member.stop());
    await waitFor(() => member.deliveries.length > 2, { what: 'the member to work', ...PATIENCE });
    const [first, second] = member.held;
    if (first === undefined || second === undefined) throw new Error('two deliveries are in flight');
    const operator = by('operator');
    await act.prepare?.(operator, group, first);

    for (const kind of ['viewer', 'join', 'agent'] as const) {
      expect([kind, await codeOf(act.call(by(kind), group))]).toEqual([
        kind,
        kind === 'agent' && name in { redrive: 1, discard: 1 } ? 'ACL_DENIED' : 'FORBIDDEN',
      ]);
    }
    expect(await codeOf(act.call(operator, 'absent'))).toBe('NOT_FOUND');
    expect(await codeOf(act.call(by('admin'), 'absent'))).toBe('NOT_FOUND');

    const before = member.deliveries.length;
    expect(await act.call(operator, group)).toMatchObject(act.once);
    const answeredAt = Date.now();
    await waitFor(() => act.obeyed(member, before, { operator: remote, group }), {
      what: 'the other core',
      ...PATIENCE,
    });
    expect(Date.now() - answeredAt).toBeLessThan(OBEYED_MS);

    const settled = remote.bus.ack({ group, deliveryIds: [second.deliveryId] });
    if (typeof act.settles === 'string') expect(await codeOf(settled)).toBe(act.settles);
    else expect(await settled).toEqual({ settled: act.settles });
    const repeated = act.call(by('admin'), group);
    if (typeof act.twice === 'string') expect(await codeOf(repeated)).toBe(act.twice);
    else expect(await repeated).toMatchObject(act.twice);
    await member.stop();
  });

  test('a paused group hands nothing out to the other core, however many events come', async () => {
    const group = 'still';
    const member = new Member(remote, group, { holds: 0 });
    stack.push(() => member.stop());
    await waitFor(() => member.deliveries.length > 2, { what: 'the member to work', ...PATIENCE });
    const { paused } = await by('operator').groups.pause({ group });
    const lag = async () => (await remote.groups.get({ group })).group.lag;
    const before = await lag();
    await waitFor(async () => (await lag()) > before + 100, { what: 'a hundred events', ...PATIENCE });
    // Both are times of the store: what a delivery was handed out at follows from its deadline.
    const handedOut = member.deliveries.map(({ dueAt }) => Date.parse(dueAt) - SETTINGS.ackDeadlineMs);
    expect(Math.max(...handedOut)).toBeLessThanOrEqual(Date.parse(paused?.at ?? ''));
  });
});
