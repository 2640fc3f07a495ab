// What operators do with consumer groups: that every replica obeys, that nothing is lost or passed over, and who may.
import { expect, test } from 'vitest';
import type { BusCaller } from '../../src/admission/caller.ts';
import type { Bus } from '../../src/bus.ts';
import type { GroupNotice } from '../../src/groups/group-steering.ts';
import { putPolicy } from '../policy-change.ts';
import { type BusFixture, codeOf, OPERATOR, SETTINGS, until, VIEWER } from './bus-fixture.ts';
import { GROUP, steeredGroup } from './steered-group.ts';

export function groupSteeringSuite(t: BusFixture): void {
  const { agent, publish, consume, ack, replica, swarm } = t;
  const { place, claim, claimed, figures, refusalOf, deafReplica, soon, delivered } = steeredGroup(t);
  const DELETED = { code: 'NOT_FOUND', retryable: false, details: { deleted: true } };

  const calls = {
    pause: (bus: Bus, by: BusCaller = OPERATOR) => bus.steering.pause(by, { ...place(), reason: 'a deployment' }),
    resume: (bus: Bus, by: BusCaller = OPERATOR) => bus.steering.resume(by, { ...place(), reason: undefined }),
    update: (bus: Bus, by: BusCaller = OPERATOR) => bus.steering.update(by, { ...place(), set: { maxDeliveries: 9 } }),
    seek: (bus: Bus, by: BusCaller = OPERATOR) => bus.steering.seek(by, { ...place(), to: 'earliest', dropOpen: true }),
    delete: (bus: Bus, by: BusCaller = OPERATOR) => bus.steering.delete(by, { ...place(), reason: undefined }),
  };
  const names = Object.keys(calls) as (keyof typeof calls)[];

  test.each<[keyof typeof calls, object, object, string[]]>([
    [
      'pause',
      { changed: true, paused: { reason: 'a deployment', by: '/operators/ops' } },
      { changed: false },
      ['paused'],
    ],
    ['resume', { changed: false, paused: null }, { changed: false }, []],
    ['update', { changed: true, settings: { version: 2, maxDeliveries: 9 } }, { changed: false }, ['updated']],
    // Before the second, the member may have taken anew what the first went back to.
    ['seek', { dropped: 2 }, { dropped: expect.toBeOneOf([0, 1, 2]) }, ['sought', 'sought']],
    ['delete', {}, { code: 'NOT_FOUND' }, ['deleted']],
  ])('%s, twice, on two replicas, of a group at work', async (name, once, twice, events) => {
    const notices: GroupNotice[] = [];
    const options = { onGroupChange: (notice: GroupNotice) => notices.push(notice) };
    const bus = await swarm(options);
    const other = await replica(options);
    const member = consume(other, { maxInFlight: 2 });
    for (let i = 0; i < 4; i += 1) await publish(bus, i);
    await delivered(2, member);
    const groupId = member.of('joined')[0]?.groupId;
    expect(await calls[name](bus)).toMatchObject({ group: GROUP, groupId, ...once });
    if ('code' in twice) expect(await refusalOf(calls[name](other))).toMatchObject(twice);
    else expect(await calls[name](other)).toMatchObject({ groupId, ...twice });
    expect(notices.map(({ change }) => change)).toEqual(events);
    for (const { data } of notices) expect(data).toMatchObject({ group: GROUP, groupId, by: '/operators/ops' });
  });

  test.each(names)('%s of a group that does not exist is not found, on each replica', async (name) => {
    const bus = await swarm();
    for (const each of [bus, await replica()]) expect(await codeOf(calls[name](each))).toBe('NOT_FOUND');
    expect(await bus.listGroups(OPERATOR, t.namespace)).toEqual([]);
  });

  test.each(names)('%s is for operators alone', async (name) => {
    const bus = await swarm();
    await claim(bus);
    for (const by of [agent('py'), VIEWER]) expect(await codeOf(calls[name](bus, by))).toBe('FORBIDDEN');
    expect(await figures(bus)).toMatchObject({ paused: null, settings: { version: 1 } });
  });

  test('a paused group hands nothing out on any replica, acks count, and it goes on where it stood', async () => {
    const bus = await swarm();
    const other = await replica();
    const members = [consume(bus, { maxInFlight: 1 }), consume(other, { maxInFlight: 1 })];
    for (const member of members) await until(() => expect(member.of('joined')).toMatchObject([{ paused: false }]));
    await publish(bus, 'before');
    await delivered(1, ...members);
    const waiting = claim(other, { waitMs: 30_000, topics: undefined });
    await calls.pause(bus);
    for (const member of members) await soon(() => expect(member.of('bookmark').at(-1)?.paused).toBe(true));
    expect(await waiting).toMatchObject({ deliveries: [], paused: true });
    await publish(other, 'meanwhile');
    expect(await claim(other, { waitMs: 30_000 })).toMatchObject({ deliveries: [], paused: true });
    const [inFlight] = members.flatMap((member) => member.of('delivery'));
    expect(await ack(other, [inFlight?.deliveryId ?? ''])).toBe(1);
    expect(await figures(other)).toMatchObject({ inFlight: 0, lag: 1, paused: { reason: 'a deployment' } });
    const late = consume(other);
    await until(() => expect(late.of('joined')).toMatchObject([{ paused: true }]));
    await calls.resume(other);
    for (const member of members) await soon(() => expect(member.of('bookmark').at(-1)?.paused).toBe(false));
    const all = [...members, late];
    const data = (await delivered(2, ...all)).map(({ event }) => event.data);
    expect(new Set(data)).toEqual(new Set(['before', 'meanwhile']));
    expect(all.map(({ refusal }) => refusal)).toEqual([null, null, null]);
  });

  test('a group that was paused for an hour delivers what the log has kept, and a gap for the rest', async () => {
    const retention = { ...SETTINGS.retention, maxEvents: 20 };
    const bus = await swarm({}, { retention });
    const other = await replica({}, { retention });
    const member = consume(other, { maxInFlight: 200 });
    await until(() => expect(member.of('joined')).toHaveLength(1));
    await publish(bus, 'before');
    const [inFlight] = await delivered(1, member);
    await calls.pause(bus);
    const events = Array.from({ length: 100 }, (_, i) => ({ topic: 'work.done', data: i }));
    await bus.publishMany(agent('ada'), t.namespace, events);
    await bus.applyRetention();
    t.clock.advance(3_600_000);
    const log = await bus.read(VIEWER, { namespace: t.namespace, topics: ['work.>'], limit: 100 });
    const kept = log.events.map(({ event }) => event.data);
    expect([kept.at(0), kept.at(-1)]).not.toEqual([0, 99]);
    expect(member.of('delivery')).toHaveLength(1);

    await calls.resume(bus);
    const deliveries = await delivered(1 + kept.length, member);
    expect(deliveries.slice(1).map(({ event }) => event.data)).toEqual(kept);
    expect(member.of('gap')).toEqual([{ type: 'gap', reason: 'retention', lost: 100 - kept.length }]);
    expect(await ack(bus, [inFlight?.deliveryId ?? ''])).toBe(1);
    expect(await figures(bus)).toMatchObject({ lag: 0, inFlight: kept.length, waiting: 0, deadLetters: 0 });
  });

  test('a deleted group ends streams and claims on every replica, and stays deleted while they come back', async () => {
    const bus = await swarm();
    const other = await replica();
    const members = [consume(bus), consume(other), consume(other, { maxInFlight: 1 })];
    await publish(bus, 'one');
    await delivered(1, ...members);
    for (const member of members) await until(() => expect(member.of('joined')).toHaveLength(1));
    const { groupId } = await claim(bus);
    const waiting = refusalOf(claim(other, { waitMs: 30_000, groupId }));
    expect(await calls.delete(bus)).toEqual({ group: GROUP, groupId });
    for (const member of members) await soon(() => expect(member.refusal).toMatchObject(DELETED));
    expect(await waiting).toMatchObject(DELETED);
    for (const each of [bus, other]) {
      expect(await refusalOf(claim(each, { groupId }))).toMatchObject(DELETED);
      const comesBack = consume(each, { groupId });
      await until(() => expect(comesBack.refusal).toMatchObject(DELETED));
    }
    expect(await bus.listGroups(OPERATOR, t.namespace)).toEqual([]);

    const anew = await claim(other, { from: 'latest' });
    expect(anew.groupId).not.toBe(groupId);
    expect(await refusalOf(claim(bus, { groupId }))).toMatchObject(DELETED);
    await publish(bus, 'two');
    expect(await claimed(bus, { groupId: anew.groupId })).toEqual(['two']);
  });

  test('a caller that names no group is served by the one that has the name, whatever its replica knows', async () => {
    const bus = await swarm();
    const deaf = await deafReplica();
    await claim(deaf);
    await calls.delete(bus);
    const { groupId } = await claim(deaf);
    expect((await figures(bus))?.groupId).toBe(groupId);
    await calls.delete(bus);
    const stream = consume(deaf);
    await until(() => expect(stream.of('joined')).toHaveLength(1));
    expect(stream.of('joined')[0]?.groupId).toBe((await figures(bus))?.groupId);
  });

  test('a replica that has not heard of new settings passes over no event', async () => {
    const bus = await swarm();
    const deaf = await deafReplica();
    const settings = { topics: ['work.a'] };
    expect(await claimed(deaf, settings)).toEqual([]);
    await publish(bus, 'b', { topic: 'work.b' });
    expect(await claimed(bus, { topics: undefined, max: 1 })).toEqual([]);
    await publish(bus, 'b2', { topic: 'work.b' });
    await bus.steering.update(OPERATOR, { ...place(), set: { topics: ['work.>'] } });
    await publish(bus, 'a', { topic: 'work.a' });
    const received: unknown[] = [];
    await until(async () => {
      t.clock.advance(1000);
      received.push(...(await claimed(deaf, { topics: undefined })));
      expect(received).toEqual(['b2', 'a']);
    });
    await bus.steering.update(OPERATOR, { ...place(), set: { topics: ['work.b'] } });
    await publish(bus, 'a2', { topic: 'work.a' });
    expect(await claimed(deaf, { topics: undefined })).toEqual([]);
  });

  test('a caller joins with what it leaves out, with the settings in force, and with those of the beginning', async () => {
    const bus = await swarm();
    const other = await replica();
    const first = await claim(bus, { topics: ['work.a'], ackDeadlineMs: 5000 });
    expect(await codeOf(claim(bus, { group: 'none', topics: undefined }))).toBe('INVALID_INPUT');
    await bus.steering.update(OPERATOR, { ...place(), set: { topics: ['work.b'], maxDeliveries: 7 } });
    const joins = [
      { topics: undefined, ackDeadlineMs: undefined, maxDeliveries: undefined },
      { topics: ['work.a'], ackDeadlineMs: 5000, maxDeliveries: 3 },
      { topics: ['work.b'], ackDeadlineMs: 5000, maxDeliveries: 7 },
    ];
    for (const each of [bus, other]) {
      for (const named of joins) expect(await claim(each, named)).toMatchObject({ groupId: first.groupId });
      const refused = await refusalOf(claim(each, { topics: ['work.c'], ackDeadlineMs: 5000 }));
      expect(refused).toMatchObject({
        code: 'CONFLICT',
        details: { existing: { topics: ['work.b'], maxDeliveries: 7 }, requested: { topics: ['work.c'] } },
      });
    }
    const member = consume(other, { topics: undefined, ackDeadlineMs: undefined, maxDeliveries: undefined });
    const settings = { version: 2, topics: ['work.b'], ackDeadlineMs: 5000, maxDeliveries: 7 };
    await until(() => expect(member.of('joined')).toMatchObject([{ settings }]));
  });

  test('callers that come at the same time are each judged by what they name', async () => {
    const bus = await swarm();
    const { groupId } = await claim(bus);
    await calls.delete(bus);
    const callers = [{ topics: undefined }, { groupId }, {}, { topics: undefined }];
    const codes = await Promise.all(callers.map((named) => codeOf(claim(bus, named))));
    expect(codes).toEqual(['INVALID_INPUT', 'NOT_FOUND', 'no refusal', 'no refusal']);
  });

  test('a member whose policy does not allow the new topics of its group receives no more', async () => {
    const bus = await swarm();
    const other = await replica();
    const half = { publish: ['>'], subscribe: ['work.a'], consume: ['*'] };
    await putPolicy(bus, t.namespace, { roles: {}, default: half }, undefined);
    const member = consume(other, { topics: ['work.a'] });
    await until(() => expect(member.of('joined')).toHaveLength(1));
    await bus.steering.update(OPERATOR, { ...place(), set: { topics: ['work.>'] } });
    await publish(bus, 'secret', { topic: 'work.b' });
    await soon(() => expect(member.refusal?.code).toBe('ACL_DENIED'));
    expect(member.of('delivery')).toEqual([]);
    expect(await codeOf(claim(bus, { topics: undefined }))).toBe('ACL_DENIED');
    await until(async () =>
      expect(await claim(bus, { topics: undefined }, OPERATOR)).toMatchObject({ deliveries: [{}] }),
    );
  });

  test('a namespace and an agent have so many groups and no more, over all replicas', async () => {
    const options = { groupLimits: { inNamespace: 3, ofAgent: 2 } };
    const bus = await swarm(options);
    const other = await replica(options);
    const made = await Promise.all(
      ['a', 'b', 'c', 'd'].map((group, index) => codeOf(claim(index % 2 === 0 ? bus : other, { group }))),
    );
    expect(made.toSorted()).toEqual(['CONFLICT', 'CONFLICT', 'no refusal', 'no refusal']);
    const own = await refusalOf(claim(other, { group: 'more' }));
    expect(own).toMatchObject({
      code: 'CONFLICT',
      details: { limit: 2 },
      message: expect.stringContaining('2 consumer groups'),
    });
    const [first] = await bus.listGroups(OPERATOR, t.namespace);
    expect(first).toMatchObject({ madeBy: `/agents/${t.namespace}/py`, ownedBy: null });
    expect(await codeOf(claim(bus, { group: first?.group }))).toBe('no refusal');
    expect(await codeOf(claim(bus, { group: 'third' }, OPERATOR))).toBe('no refusal');
    const full = await refusalOf(claim(bus, { group: 'fourth' }, OPERATOR));
    expect(full).toMatchObject({
      code: 'CONFLICT',
      details: { limit: 3 },
      message: expect.stringContaining('SWARM_GROUPS_MAX'),
    });
    await bus.steering.delete(OPERATOR, { namespace: t.namespace, group: first?.group ?? '', reason: undefined });
    expect(await codeOf(claim(other, { group: 'more' }))).toBe('no refusal');
  });

  test('the group of an agent is removed when the agent is gone and nothing is left to do, and no other group', async () => {
    const agents = new Set(['py']);
    const notices: GroupNotice[] = [];
    const bus = await swarm({
      isAgent: async (_namespace, name) => agents.has(name),
      onGroupChange: (notice) => notices.push(notice),
    });
    const other = await replica();
    const left = async () => (await bus.listGroups(OPERATOR, t.namespace)).map(({ group }) => group);
    expect(await codeOf(claim(bus, { ownedBy: 'self' }, OPERATOR))).toBe('INVALID_INPUT');
    const { groupId } = await claim(bus, { ownedBy: 'self' });
    await claim(bus, { group: 'shared' });
    expect(await figures(other)).toMatchObject({ ownedBy: 'py' });
    await publish(bus, 'todo');
    await publish(bus, 'not for it', { topic: 'elsewhere' });
    await bus.removeIdleGroups();
    agents.clear();
    // Something unread matches, then something is in flight.
    await bus.removeIdleGroups();
    const { deliveries } = await claim(other);
    await bus.removeIdleGroups();
    expect(await left()).toEqual([GROUP, 'shared']);
    const member = consume(other);
    await until(() => expect(member.of('joined')).toHaveLength(1));
    await ack(
      other,
      deliveries.map(({ deliveryId }) => deliveryId),
    );
    await publish(bus, 'nor this', { topic: 'elsewhere' });
    await bus.removeIdleGroups();
    expect(notices).toMatchObject([
      { change: 'deleted', data: { groupId, by: '/core', reason: 'the agent "py" is gone' } },
    ]);
    // The member that is still there makes it again, and misses nothing.
    await publish(bus, 'more');
    expect((await delivered(1, member)).map(({ event }) => event.data)).toEqual(['more']);
    expect(member.of('gap')).toEqual([]);
    expect(await left()).toEqual([GROUP, 'shared']);
  });
}
