// What consumer groups promise beyond their store: members, deliveries, deadlines, claims.
import { putPolicy } from '../policy-change.ts';
import { OPERATOR, VIEWER, NO_TOKEN_ENDS, raise, until, codeOf, type BusFixture, SETTINGS } from './bus-fixture.ts';
import { SwarmError } from '@hypercode/contracts';
import { expect, test, vi } from 'vitest';

export function consumerGroupsSuite(t: BusFixture): void {
  const { agent, publish, groupInput, consume, ack, replica, pass, swarm } = t;
  test('members on both replicas share the events of a group, each event once', async () => {
    const bus = await swarm();
    const other = await replica();
    for (let i = 0; i < 60; i += 1) await publish(bus, i);
    const members = [
      consume(bus, { maxInFlight: 5 }),
      consume(other, { maxInFlight: 5 }),
      consume(other, { maxInFlight: 5 }),
    ];
    // Looked at afterwards: what a condition throws is only tried again.
    const acked = new Map<string, number>();
    await until(async () => {
      const open = members
        .flatMap((member) => member.of('delivery'))
        .filter(({ deliveryId }) => !acked.has(deliveryId));
      for (const { deliveryId } of open) acked.set(deliveryId, await ack(bus, [deliveryId]));
      expect(acked.size).toBe(60);
    });
    expect(new Set(acked.values())).toEqual(new Set([1]));
    const delivered = members.flatMap((member) => member.of('delivery'));
    expect(delivered.map(({ event }) => event.data as number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, i) => i),
    );
    expect(members.filter((member) => member.of('delivery').length > 0).length).toBeGreaterThan(1);
    await publish(other, 'live');
    await until(() => {
      expect(members.flatMap((member) => member.of('delivery')).map(({ event }) => event.data)).toContain('live');
    });
  });

  test('members share what comes, one by one or together, whatever the order in which they joined', async () => {
    const bus = await swarm();
    const members = [1, 2, 3].map(() => consume(bus, { maxInFlight: 16 }));
    await until(() => expect(members.map((member) => member.of('joined'))).toMatchObject([[{}], [{}], [{}]]));
    const counts = () => members.map((member) => member.of('delivery').length);
    for (let count = 1; count <= 6; count += 1) {
      await publish(bus, count);
      await until(() => expect(counts().reduce((sum, each) => sum + each)).toBe(count));
    }
    expect(counts()).toEqual([2, 2, 2]);
  });

  test('a member has no more in flight than it asked for', async () => {
    const bus = await swarm();
    for (let i = 0; i < 10; i += 1) await publish(bus, i);
    const member = consume(bus, { maxInFlight: 3 });
    await until(() => expect(member.of('delivery')).toHaveLength(3));
    await publish(bus, 'more');
    expect(await ack(bus, [member.of('delivery')[0]?.deliveryId ?? ''])).toBe(1);
    await until(() => expect(member.of('delivery')).toHaveLength(4));
    await ack(
      await replica(),
      member
        .of('delivery')
        .slice(1)
        .map(({ deliveryId }) => deliveryId),
    );
    await until(() => expect(member.of('delivery')).toHaveLength(7));
    expect(await bus.listGroups(OPERATOR, t.namespace)).toMatchObject([
      { group: 'crew', inFlight: 3, lag: 4, deadLetters: 0 },
    ]);
  });

  test('a group redelivers what is not acknowledged in time, and moves it to dead letters in the end', async () => {
    const bus = await swarm();
    const dying = consume(bus, { ackDeadlineMs: 150, maxInFlight: 1 });
    const { id } = await publish(bus, 'poison');
    await until(() => expect(dying.of('delivery').map(({ attempt }) => attempt)).toEqual([1]));
    await dying.stop();
    await pass(150);
    // The stream of a member that lets everything pass ends, and a new one is a sign of life.
    const elsewhere = await replica();
    for (const expected of [2, 3]) {
      const other = consume(elsewhere, { ackDeadlineMs: 150, maxInFlight: 1 });
      await until(() => expect(other.of('delivery').map(({ attempt }) => attempt)).toEqual([expected]));
      await pass(151);
      await until(() => expect(other.refusal).toMatchObject({ code: 'UNAVAILABLE', retryable: true }));
      expect(other.refusal?.message).toContain('let the deadlines of all its deliveries pass');
    }
    const dead = await until(async () => {
      const page = await bus.deadLetters(OPERATOR, {
        namespace: t.namespace,
        group: 'crew',
        limit: 10,
        cursor: undefined,
      });
      expect(page.deadLetters).toHaveLength(1);
      return page.deadLetters[0];
    });
    expect(dead).toMatchObject({ event: { id, data: 'poison' }, reason: null });
    expect(dead?.history.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    const choice = { namespace: t.namespace, group: 'crew', deliveryIds: [dead?.deliveryId ?? ''], all: undefined };
    expect(await bus.redrive(OPERATOR, choice)).toEqual({ count: 1 });
    const other = consume(elsewhere, { ackDeadlineMs: 150, maxInFlight: 1 });
    await until(() => expect(other.of('delivery').at(-1)?.attempt).toBe(1));
    expect(await ack(bus, [other.of('delivery').at(-1)?.deliveryId ?? ''])).toBe(1);
    expect(
      await bus.discard(OPERATOR, { namespace: t.namespace, group: 'crew', deliveryIds: undefined, all: true }),
    ).toEqual({
      count: 0,
    });
  });

  test('a refused delivery is delivered again after its delay, and not before', async () => {
    const bus = await swarm();
    await publish(bus, 1);
    const member = consume(bus, { maxInFlight: 1 });
    await until(() => expect(member.of('delivery')).toHaveLength(1));
    const [first] = member.of('delivery');
    const deliveryIds = [first?.deliveryId ?? ''];
    const nack = { namespace: t.namespace, group: 'crew', deliveryIds, delayMs: 300, reason: 'not now' };
    expect(await bus.nack(agent('worker'), nack)).toBe(1);
    expect(await bus.nack(agent('worker'), nack)).toBe(0);
    // Without a delay it would be here before the group is described.
    await bus.listGroups(OPERATOR, t.namespace);
    expect(member.of('delivery')).toHaveLength(1);
    await pass(301);
    await until(() => expect(member.of('delivery').map(({ attempt }) => attempt)).toEqual([1, 2]));
    // A late ack settles; the attempt that it names is over.
    expect(await ack(bus, deliveryIds)).toBe(1);
    expect(await ack(bus, deliveryIds)).toBe(0);
  });

  test.each([1, 3])('events that are refused at once keep a new one waiting in no claim of %i', async (max) => {
    const bus = await swarm();
    for (let i = 0; i < 6; i += 1) await publish(bus, 'poison');
    const input = { ...groupInput({ maxDeliveries: 1_000 }), consumer: 'py', max, waitMs: 0 };
    const claim = async () => {
      const { deliveries } = await bus.claim(agent('py'), input, NO_TOKEN_ENDS);
      const deliveryIds = deliveries.map(({ deliveryId }) => deliveryId);
      await bus.nack(agent('py'), { namespace: t.namespace, group: 'crew', deliveryIds, delayMs: 0, reason: 'no' });
      return deliveries;
    };
    // Claims of one event alternate between due and unread events: each event was delivered once before the unread ones run out.
    for (let round = 0; round < 12; round += 1) await claim();
    await publish(bus, 'good');
    const rounds = [await claim(), await claim(), await claim()];
    expect(rounds.slice(0, 2).flatMap((round) => round.map(({ event }) => event.data))).toContain('good');
    // Nor do new ones keep the refused ones waiting.
    expect(rounds.flat().filter(({ attempt }) => attempt > 1).length).toBeGreaterThanOrEqual(max);
  });

  test('a claim without a stream answers at once or after a wait', async () => {
    const bus = await swarm();
    const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 0 };
    expect(await bus.claim(agent('py'), input, NO_TOKEN_ENDS)).toMatchObject({ deliveries: [] });
    const waiting = bus.claim(agent('py'), { ...input, waitMs: 20_000 }, NO_TOKEN_ENDS);
    await publish(await replica(), 'hello');
    const { deliveries } = await waiting;
    expect(deliveries).toMatchObject([{ attempt: 1, event: { data: 'hello' } }]);
    expect(await ack(bus, [deliveries[0]?.deliveryId ?? ''], agent('py'))).toBe(1);
    const gone = new AbortController();
    const given = bus.claim(agent('py'), { ...input, waitMs: 20_000 }, gone.signal);
    gone.abort();
    expect(await given).toMatchObject({ deliveries: [] });
  });

  test('a group gets back at once what was claimed for a caller that left or lost its rights', async () => {
    const bus = await swarm();
    const { groups: store } = t.stores.at(-1) ?? raise();
    const claim = store.claim.bind(store);
    const ask = vi.spyOn(store, 'claim');
    /** Ends the caller while the store is asked on its behalf. */
    const endMeanwhile = (over: AbortController, reason?: SwarmError) =>
      ask.mockImplementationOnce(async (...args) => {
        const outcome = await claim(...args);
        expect(outcome.deliveries).toHaveLength(1);
        over.abort(reason);
        return outcome;
      });
    await publish(bus, 'unseen');
    const input = { ...groupInput({ maxDeliveries: 5 }), consumer: 'py', max: 10, waitMs: 0 };

    const gone = new AbortController();
    endMeanwhile(gone);
    expect(await bus.claim(agent('py'), input, gone.signal)).toMatchObject({ deliveries: [] });
    const revoked = new AbortController();
    endMeanwhile(revoked, new SwarmError('UNAUTHENTICATED', 'revoked'));
    expect(await codeOf(bus.claim(agent('py'), input, revoked.signal))).toBe('UNAUTHENTICATED');
    const stopped = new AbortController();
    endMeanwhile(stopped);
    const stream = bus.consume(agent('worker'), groupInput({ maxDeliveries: 5 }), stopped);
    expect(await stream.next()).toMatchObject({ value: [{ type: 'joined' }] });
    expect(await stream.next()).toEqual({ done: true, value: undefined });

    const { deliveries } = await bus.claim(agent('py'), input, NO_TOKEN_ENDS);
    expect(deliveries).toMatchObject([{ attempt: 1, event: { data: 'unseen' } }]);
    ask.mockRestore();
  });

  test('an event for one member costs the store one claim', async () => {
    const bus = await swarm();
    const members = Array.from({ length: 20 }, () => consume(bus));
    const delivered = () => members.flatMap((member) => member.of('delivery'));
    await publish(bus, 'first');
    await until(() => expect(delivered()).toHaveLength(1));
    const { groups: store } = t.stores.at(-1) ?? raise();
    const claim = vi.spyOn(store, 'claim');
    for (let i = 2; i <= 6; i += 1) {
      await publish(bus, i);
      await until(() => expect(delivered()).toHaveLength(i));
      await bus.listGroups(OPERATOR, t.namespace);
    }
    // One for each event; a poll or a deadline may have added some, but not each of twenty members its own.
    expect(claim.mock.calls.length).toBeLessThan(15);
    claim.mockRestore();
  });

  test('a claim answers at once however much of the log does not match', async () => {
    const bus = await swarm();
    const noise = Array.from({ length: 900 }, (_, i) => ({ topic: 'noise', data: i }));
    for (let i = 0; i < 3; i += 1) await bus.publishMany(agent('ada'), t.namespace, noise);
    await publish(bus, 'needle');
    const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 0 };
    const { deliveries } = await (await replica()).claim(agent('py'), input, NO_TOKEN_ENDS);
    expect(deliveries).toMatchObject([{ event: { data: 'needle' } }]);
  });

  test('a claim receives nothing after the policy has denied it', async () => {
    const bus = await swarm();
    const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 5000 };
    const waiting = codeOf(bus.claim(agent('py'), input, NO_TOKEN_ENDS));
    await until(async () => expect(await bus.listGroups(OPERATOR, t.namespace)).toHaveLength(1));
    await putPolicy(
      bus,
      t.namespace,
      { roles: {}, default: { publish: ['>'], subscribe: [], consume: ['*'] } },
      undefined,
    );
    expect(await waiting).toBe('ACL_DENIED');
  });

  test('a member with other settings is refused, and members that come at the same time are served', async () => {
    const bus = await swarm();
    const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 0 };
    await bus.claim(agent('py'), input, NO_TOKEN_ENDS);
    const other = await replica();
    const codes = [{ ...input, maxDeliveries: 9 }, input, input, { ...input, topics: ['>'] }].map((one) =>
      codeOf(other.claim(agent('py'), one, NO_TOKEN_ENDS)),
    );
    expect(await Promise.all(codes)).toEqual(['CONFLICT', 'no refusal', 'no refusal', 'CONFLICT']);
  });

  test('a member of a group receives its name and the settings first, and the cursor of the group every 15 s', async () => {
    const bus = await swarm();
    const settings = { topics: ['work.>'], ackDeadlineMs: 30_000, maxDeliveries: 3 };
    const member = consume(bus, { consumer: 'ada' });
    await until(() => expect(member.values).toMatchObject([{ type: 'joined', consumer: 'ada', settings }]));
    const { position } = await publish(bus, 1);
    await until(() => expect(member.of('delivery')).toHaveLength(1));
    t.clock.advance(15_000);
    await until(() => expect(member.of('bookmark')).toMatchObject([{ position, paused: false }]));
    expect(await bus.listGroups(OPERATOR, t.namespace)).toMatchObject([{ position }]);
  });

  test('a second stream of a consumer ends the first', async () => {
    const bus = await swarm();
    const before = consume(bus, { consumer: 'laptop' });
    await until(() => expect(before.of('joined')).toHaveLength(1));
    const other = consume(bus, { consumer: 'desktop' });
    const after = consume(bus, { consumer: 'laptop' });
    await until(() => expect(before.refusal?.code).toBe('CONFLICT'));
    await publish(bus, 1);
    await until(() => expect([...after.of('delivery'), ...other.of('delivery')]).toHaveLength(1));
    expect(before.of('delivery')).toEqual([]);
    expect([after.refusal, other.refusal]).toEqual([null, null]);
  });

  test('a group sends no claims to the store while what is due waits for room', async () => {
    const bus = await swarm();
    await publish(bus, 1);
    await publish(bus, 2);
    const member = consume(bus, { maxInFlight: 2 });
    await until(() => expect(member.of('delivery')).toHaveLength(2));
    const deliveryIds = member.of('delivery').map(({ deliveryId }) => deliveryId);
    await member.stop();
    const full = consume(bus, { maxInFlight: 1 });
    const nack = { namespace: t.namespace, group: 'crew', deliveryIds, delayMs: 0, reason: undefined };
    expect(await bus.nack(agent('worker'), nack)).toBe(2);
    await until(() => expect(full.of('delivery')).toHaveLength(1));
    const claim = vi.spyOn(t.stores.at(-1)?.groups ?? raise(), 'claim');
    const { length: before } = full.of('delivery');
    for (let i = 0; i < 100; i += 1) await bus.listGroups(OPERATOR, t.namespace);
    expect(full.of('delivery')).toHaveLength(before);
    expect(claim.mock.calls.length).toBeLessThan(10);
    claim.mockRestore();
    expect(await ack(bus, [full.of('delivery')[0]?.deliveryId ?? ''])).toBe(1);
    await until(() => expect(full.of('delivery')).toHaveLength(2));
  });

  test('the streams of a group end with the bus', async () => {
    const bus = await swarm();
    const member = consume(bus);
    const input = { ...groupInput(), consumer: 'py', max: 10, waitMs: 20_000 };
    const waiting = bus.claim(agent('py'), input, NO_TOKEN_ENDS);
    const { groups: store } = t.stores.at(-1) ?? raise();
    const claim = vi.spyOn(store, 'claim');
    await until(() => expect(claim.mock.calls.length).toBeGreaterThanOrEqual(1));
    await until(() => expect(member.of('joined')).toHaveLength(1));
    await bus.close();
    await until(() => expect(member.refusal?.code).toBe('UNAVAILABLE'));
    expect(await waiting).toMatchObject({ deliveries: [] });
    claim.mockRestore();
  });

  test('a group stream receives a gap for what retention removed', async () => {
    const retention = { ...SETTINGS.retention, maxEvents: 20 };
    const bus = await swarm({}, { retention });
    const member = consume(bus, { maxInFlight: 1 });
    await until(() => expect(member.of('joined')).toHaveLength(1));
    await publish(bus, 'held');
    await until(() => expect(member.of('delivery')).toHaveLength(1));
    for (let i = 0; i < 100; i += 1) await publish(bus, i);
    await bus.applyRetention();
    expect(await ack(bus, [member.of('delivery')[0]?.deliveryId ?? ''])).toBe(1);
    await until(() => expect(member.of('delivery')).toHaveLength(2));
    // Retention may overtake the group once more while it is published: each time, the gap has what was lost since.
    const gaps = member.of('gap');
    expect(gaps.every(({ reason }) => reason === 'retention')).toBe(true);
    const lost = gaps.reduce((sum, gap) => sum + (gap.lost ?? Number.NaN), 0);
    expect(lost).toBe(member.of('delivery')[1]?.event.data);
    expect(lost).toBeGreaterThan(0);
  });

  test('a group stream receives a gap when its log is lost, and goes on with the new log', async () => {
    const bus = await swarm();
    const member = consume(bus);
    await until(() => expect(member.of('joined')).toHaveLength(1));
    await publish(bus, 'before');
    await until(() => expect(member.of('delivery')).toHaveLength(1));
    await t.backend.loseLog(t.namespace);
    await publish(bus, 'after');
    await until(() => expect(member.of('delivery').map(({ event }) => event.data)).toEqual(['before', 'after']));
    expect(member.of('gap')).toMatchObject([{ reason: 'log_lost', lost: null }]);
    for (const { deliveryId } of member.of('delivery')) expect(await ack(bus, [deliveryId])).toBe(1);
  });

  test('a group has one set of settings, and refuses callers that may not subscribe to all its topics', async () => {
    const bus = await swarm();
    await publish(bus, 1);
    const member = consume(bus);
    await until(() => expect(member.of('delivery')).toHaveLength(1));
    for (const change of [{ topics: ['>'] }, { ackDeadlineMs: 999 }, { maxDeliveries: 9 }]) {
      for (const at of [bus, await replica()]) {
        const refused = consume(at, change);
        await until(() => expect(refused.refusal?.code).toBe('CONFLICT'));
      }
    }
    const deliveryIds = [member.of('delivery')[0]?.deliveryId ?? ''];
    expect(await codeOf(ack(bus, deliveryIds, VIEWER))).toBe('FORBIDDEN');
    expect(await codeOf(bus.ack(agent('worker'), t.namespace, 'nobody', deliveryIds))).toBe('NOT_FOUND');
    expect(await codeOf(ack(bus, ['nonsense']))).toBe('INVALID_INPUT');
    const half = { publish: ['>'], subscribe: ['>'], denySubscribe: ['work.secret'], consume: ['*'] };
    await putPolicy(bus, t.namespace, { roles: {}, default: half }, undefined);
    await until(() => expect(member.refusal).toMatchObject({ code: 'ACL_DENIED', details: { rule: 'work.secret' } }));
    expect(await codeOf(ack(bus, deliveryIds))).toBe('ACL_DENIED');
    expect(await ack(bus, deliveryIds, OPERATOR)).toBe(1);
  });

  test('all groups of a namespace read the log through the one ring of the replica', async () => {
    const bus = await swarm();
    const read = vi.spyOn(t.stores.at(-1)?.log ?? raise(), 'read');
    const groups = Array.from({ length: 40 }, (_, i) => consume(bus, { group: `crew-${i}`, maxInFlight: 100 }));
    await until(async () => expect(await bus.listGroups(OPERATOR, t.namespace)).toHaveLength(40));
    read.mockClear();
    for (let i = 0; i < 50; i += 1) await publish(bus, i);
    for (const member of groups) await until(() => expect(member.of('delivery')).toHaveLength(50));
    // A lost wake-up or a poll may read it again; forty groups reading it would be far more.
    expect(read.mock.calls.length).toBeLessThan(40);
    read.mockRestore();
  });

  test('the cursor of a group passes events that do not match its topics', async () => {
    const bus = await swarm();
    const member = consume(bus, { topics: ['never'] });
    for (let i = 0; i < 30; i += 1) await publish(bus, i);
    await until(async () => {
      t.clock.advance(1000);
      expect(await bus.listGroups(OPERATOR, t.namespace)).toMatchObject([{ lag: 0, inFlight: 0 }]);
    });
    expect(member.values).toMatchObject([{ type: 'joined' }]);
  });
}
