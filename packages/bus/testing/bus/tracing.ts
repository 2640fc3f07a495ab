// What traces and previews promise: they agree with what the bus did, and change nothing.
import { type EventTrace, type OtherStreams, type PolicyRules, SwarmError } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { BusCaller } from '../../src/admission/caller.ts';
import type { Bus } from '../../src/bus.ts';
import { putPolicy } from '../policy-change.ts';
import { ALONE, type BusFixture, codeOf, OPERATOR, until, VIEWER } from './bus-fixture.ts';

const CLOSED = 'closed' as const;

export function tracingSuite(t: BusFixture): void {
  const { agent, publish, subscribe, attached, consume, ack, swarm, replica, pass } = t;
  const traceOf = (bus: Bus, id: string, by: BusCaller = OPERATOR): Promise<EventTrace> =>
    bus.trace(by, { namespace: t.namespace, id });
  /** Rules under which only `ada` has no access to `secret.>`. */
  const HIDING: PolicyRules = {
    roles: {},
    default: { publish: ['>'], subscribe: ['>'], consume: ['{name}'], denySubscribe: ['secret.{name}.>'] },
  };

  test('a trace has the event, how often it was published again, and the rule that admitted it', async () => {
    const bus = await swarm({ surroundings: { ...ALONE, roleAt: async () => 'coder' } });
    const id = randomUUID();
    const first = await publish(bus, 1, { id });
    for (const data of [2, 3]) await publish(bus, data, { id: id.toUpperCase() });
    const { event, kept, duplicates, admittedBy } = await traceOf(bus, id.toUpperCase());
    expect(event).toMatchObject({ position: first.position, event: { id, data: 1 } });
    expect([kept, duplicates]).toEqual([true, 2]);
    const source = `/agents/${t.namespace}/ada`;
    expect(admittedBy).toEqual({ source, rule: '>', policyVersion: 1 });
    const byPosition = await bus.trace(VIEWER, { namespace: t.namespace, position: first.position });
    expect(byPosition.event).toEqual(event);
    const operators = await publish(bus, 1, { by: OPERATOR });
    const own = { source: '/operators/ops', rule: null, policyVersion: null };
    expect((await traceOf(bus, operators.id)).admittedBy).toEqual(own);
  });

  test('a trace names the version of the policy that was in force, not the one that is', async () => {
    const bus = await swarm({ surroundings: { ...ALONE, roleAt: async () => 'coder' } });
    const rules = (publishRule: string): PolicyRules => ({
      roles: {},
      default: { publish: [publishRule], subscribe: ['>'] },
    });
    await putPolicy(bus, t.namespace, rules('work.*'), 1);
    const { id } = await publish(bus, 1);
    await putPolicy(bus, t.namespace, rules('other.>'), 2);
    expect((await traceOf(bus, id)).admittedBy).toMatchObject({ rule: 'work.*', policyVersion: 2 });
  });

  test('nothing is traced that is not there, or that the caller may not read', async () => {
    const bus = await swarm();
    await putPolicy(bus, t.namespace, HIDING, 1);
    const { id, position } = await publish(bus, 1, { topic: 'secret.eve.plan' });
    expect((await traceOf(bus, id, agent('ada'))).event.position).toBe(position);
    const traces = [
      traceOf(bus, id, agent('eve')),
      bus.trace(agent('eve'), { namespace: t.namespace, position }),
      traceOf(bus, randomUUID()),
      bus.trace(OPERATOR, { namespace: t.namespace, id, source: '/operators/ops' }),
      bus.trace(OPERATOR, { namespace: t.namespace, id: randomUUID(), position }),
    ];
    expect(await Promise.all(traces.map(codeOf))).toEqual(traces.map(() => 'NOT_FOUND'));
    const nowhere = bus.trace(OPERATOR, { namespace: t.namespace, position: 'nowhere' });
    expect(await codeOf(nowhere)).toBe('INVALID_INPUT');
  });

  test('a trace has the fate of the event in every group, and to an agent in those that it may consume', async () => {
    const bus = await swarm();
    await putPolicy(bus, t.namespace, HIDING, 1);
    const worker = consume(bus, { group: 'worker', consumer: 'one' });
    await until(() => expect(worker.values[0]?.type).toBe('joined'));
    const { id } = await publish(bus, 1);
    const delivery = await until(() => worker.of('delivery')[0] ?? Promise.reject(new Error('none')));
    expect((await traceOf(bus, id)).groups).toMatchObject([{ group: 'worker', state: 'in_flight', consumer: 'one' }]);
    await bus.ack(agent('worker'), t.namespace, 'worker', [delivery.deliveryId]);
    const own = await traceOf(bus, id, agent('worker'));
    expect(own).toMatchObject({ groups: [{ group: 'worker', state: 'acked', attempt: 1 }], otherGroups: 0 });
    expect(await traceOf(bus, id, agent('ada'))).toMatchObject({ groups: [], otherGroups: 1 });
  });

  test('an event that retention has removed is traced as long as a group holds it', async () => {
    const bus = await swarm({}, { retention: { maxEvents: 100_000, maxBytes: 2 ** 30, maxAgeMs: 60_000 } });
    const worker = consume(bus, { ackDeadlineMs: 3_600_000 });
    const { id, position } = await publish(bus, 'held');
    const delivery = await until(() => worker.of('delivery')[0] ?? Promise.reject(new Error('none')));
    await pass(3_000_000);
    await publish(bus, 'later', { topic: 'other', causationId: id });
    await bus.applyRetention();
    const held = { kept: false, event: { position, appendedAt: null, event: { data: 'held' } }, admittedBy: null };
    expect(await traceOf(bus, id)).toMatchObject({ ...held, effects: [{ event: { data: 'later' } }] });
    expect(await bus.trace(OPERATOR, { namespace: t.namespace, position })).toMatchObject(held);
    await ack(bus, [delivery.deliveryId]);
    expect(await codeOf(traceOf(bus, id))).toBe('NOT_FOUND');
  });

  test('a trace has what led to an event, nearest first, and what it led to', async () => {
    const bus = await swarm();
    const ids = Array.from({ length: 4 }, () => randomUUID());
    for (const [place, id] of ids.entries()) await publish(bus, place, { id, causationId: ids[place - 1] });
    const [first = '', second = '', third = ''] = ids;
    await publish(bus, 'also', { causationId: second });
    const dataOf = (events: EventTrace['causes']) => events.map(({ event }) => event.data);
    const trace = await traceOf(bus, second);
    expect([dataOf(trace.causes), dataOf(trace.effects), trace.effectsComplete]).toEqual([[0], [2, 'also'], true]);
    expect(dataOf((await traceOf(bus, third)).causes)).toEqual([1, 0]);
    expect(dataOf((await traceOf(bus, first)).causes)).toEqual([]);
  });

  test('events that name each other as their cause have an end, and a cause that is no id is none', async () => {
    const bus = await swarm();
    const [one, two] = [randomUUID(), randomUUID()];
    await publish(bus, 1, { id: one, causationId: two });
    await publish(bus, 2, { id: two, causationId: one });
    const trace = await traceOf(bus, two);
    expect(trace.causes.map(({ event }) => event.id)).toEqual([one]);
    expect((await traceOf(bus, one)).effects.map(({ event }) => event.id)).toEqual([two]);
    const { id } = await publish(bus, 3, { causationId: 'ticket 7' });
    expect((await traceOf(bus, id)).causes).toEqual([]);
  });

  test('causes and effects that the caller may not read are left out', async () => {
    const bus = await swarm();
    await putPolicy(bus, t.namespace, HIDING, 1);
    const cause = await publish(bus, 'hidden', { topic: 'secret.eve.plan' });
    const { id } = await publish(bus, 'seen', { causationId: cause.id });
    await publish(bus, 'hidden', { topic: 'secret.eve.plan', causationId: id });
    expect(await traceOf(bus, id, agent('eve'))).toMatchObject({ causes: [], effects: [], effectsComplete: true });
    expect(await traceOf(bus, id)).toMatchObject({ causes: [{}], effects: [{}] });
  });

  test('a trace has each state that a stream can be in, on all replicas', async () => {
    const other: OtherStreams = {
      replica: 'other',
      asOf: '2026-01-01T00:00:00.000Z',
      omitted: 3,
      audiences: [],
    };
    const others: OtherStreams[] = [];
    const bus = await swarm({ surroundings: { ...ALONE, otherStreams: async () => others } });
    await putPolicy(bus, t.namespace, HIDING, 1);
    const before = await publish(bus, 0);
    const passed = subscribe(bus, { by: agent('passed'), topics: ['secret.>'] });
    const hidden = subscribe(bus, { by: agent('eve'), topics: ['secret.>'] });
    const elsewhere = subscribe(bus, { by: agent('elsewhere'), topics: ['other.>'] });
    for (const listener of [passed, hidden, elsewhere]) await attached(listener);
    const { id, position } = await publish(bus, 1, { topic: 'secret.eve.plan' });
    await until(() => expect(passed.of('event')).toHaveLength(1));
    await attached(subscribe(bus, { by: agent('late'), topics: ['secret.>'] }));
    const reported = { caller: `/agents/${t.namespace}/far`, since: before.position, cursor: before.position };
    const audience = { kind: 'agent' as const, role: 'coder', topics: ['>'], streams: 4, callers: [reported] };
    others.push({ ...other, audiences: [audience] });
    const { streams } = await traceOf(bus, id);
    const found = streams.list.map(({ replica: at, caller, state }) => [at, caller.split('/').at(-1), state]);
    expect(found.toSorted()).toEqual([
      ['here', 'elsewhere', 'not_matching'],
      ['here', 'eve', 'not_allowed'],
      ['here', 'late', 'began_later'],
      ['here', 'passed', 'passed'],
      ['other', 'far', 'behind'],
    ]);
    expect(streams).toMatchObject({ asOf: other.asOf, omitted: 3 + 3 });
    expect(streams.list.find(({ state }) => state === 'began_later')?.since).toBe(position);
    const own = await traceOf(bus, id, agent('passed'));
    expect(own.streams).toMatchObject({ omitted: 3 + 3 + 4, list: [{ caller: `/agents/${t.namespace}/passed` }] });
  });

  test('a mandatory event is refused before it is stored, unless a group or a stream of another agent takes it', async () => {
    const bus = await swarm({
      surroundings: { ...ALONE, declaring: async () => [{ name: 'eve', role: 'coder' }] },
    });
    const tried = () => publish(bus, 'x', { mandatory: true });
    const refusal = await tried().catch((error: unknown) => SwarmError.from(error));
    expect(refusal).toMatchObject({ code: 'UNROUTABLE', retryable: true, details: { silent: ['eve'] } });
    // Those of operators, viewers and the publisher itself do not count, nor do other topics.
    const uncounted = [
      subscribe(bus, { by: OPERATOR }),
      subscribe(bus, { by: VIEWER }),
      subscribe(bus, { by: agent('ada') }),
      subscribe(bus, { by: agent('eve'), topics: ['play.>'] }),
    ];
    for (const listener of uncounted) await attached(listener);
    expect(await codeOf(tried())).toBe('UNROUTABLE');
    const read = await bus.read(VIEWER, { namespace: t.namespace, topics: ['>'], limit: 10 });
    expect(read.events).toEqual([]);
    const eve = subscribe(bus, { by: agent('eve') });
    await attached(eve);
    expect(await tried()).toMatchObject({ duplicate: false });
    await eve.stop();
    expect(await codeOf(tried())).toBe('UNROUTABLE');
    await consume(bus).stop();
    await until(async () => {
      t.clock.advance(1001);
      expect(await codeOf(tried())).toBe('no refusal');
    });
  });

  test('a mandatory event is not taken by streams of roles that may publish nothing, nor by those that may not see it', async () => {
    const bus = await swarm();
    const rules = { publish: ['>'], subscribe: ['>'], denySubscribe: ['secret.>'] };
    await putPolicy(bus, t.namespace, { roles: { mute: { publish: [], subscribe: ['>'] } }, default: rules }, 1);
    const mute = subscribe(bus, { by: { ...agent('mute'), role: 'mute' } });
    await attached(mute);
    expect(await codeOf(publish(bus, 1, { mandatory: true }))).toBe('UNROUTABLE');
    await attached(subscribe(bus, { by: agent('eve') }));
    expect(await codeOf(publish(bus, 1, { mandatory: true }))).toBe('no refusal');
    expect(await codeOf(publish(bus, 1, { topic: 'secret.plan', mandatory: true }))).toBe('UNROUTABLE');
  });

  test('a mandatory event is taken by a stream that another replica reported', async () => {
    const report = (caller: string): OtherStreams => ({
      replica: 'other',
      asOf: '2026-01-01T00:00:00.000Z',
      omitted: 0,
      audiences: [
        {
          kind: 'agent',
          role: 'coder',
          topics: ['work.>'],
          streams: 1,
          callers: [{ caller: `/agents/${t.namespace}/${caller}`, since: 'a-0-0', cursor: 'a-0-0' }],
        },
      ],
    });
    const others: OtherStreams[] = [];
    const bus = await swarm({ surroundings: { ...ALONE, otherStreams: async () => others } });
    others.push(report('ada'));
    expect(await codeOf(publish(bus, 1, { mandatory: true }))).toBe('UNROUTABLE');
    others.push(report('eve'));
    expect(await codeOf(publish(bus, 1, { mandatory: true }))).toBe('no refusal');
  });

  test('a mandatory event that is in the log already is answered as a duplicate', async () => {
    const bus = await swarm();
    const other = await replica();
    const id = randomUUID();
    const first = await publish(bus, 1, { id });
    expect(await publish(other, 1, { id, mandatory: true })).toEqual({ ...first, duplicate: true });
    expect(await codeOf(publish(bus, 1, { id, by: agent('eve'), mandatory: true }))).toBe('UNROUTABLE');
  });

  test('in a list, a mandatory event without a receiver is refused alone', async () => {
    const bus = await swarm();
    const id = randomUUID();
    const { results } = await bus.publishMany(agent('ada'), t.namespace, [
      { topic: 'a', data: 1 },
      { id, topic: 'b', data: 2, mandatory: true },
      { topic: 'c', data: 3 },
    ]);
    expect(results).toMatchObject([{ duplicate: false }, { id, error: { code: 'UNROUTABLE' } }, { duplicate: false }]);
    const { events } = await bus.read(VIEWER, { namespace: t.namespace, topics: ['>'], limit: 10 });
    expect(events.map(({ event }) => event.data)).toEqual([1, 3]);
    expect(events.some(({ event }) => 'mandatory' in event)).toBe(false);
  });

  test('a preview has who would receive a topic, and says in a sentence what stands in the way', async () => {
    const bus = await swarm({
      surroundings: { ...ALONE, declaring: async () => [{ name: 'bob', role: 'coder' }] },
    });
    const default_ = {
      publish: ['work.>', 'secret.>'],
      subscribe: ['>'],
      denyPublish: ['work.hard'],
      consume: ['crew'],
    };
    await putPolicy(bus, t.namespace, { roles: {}, default: default_ }, 1);
    const ada = { name: 'ada', role: 'coder', circuit: CLOSED };
    const preview = (
      topic: string,
      publisher: Parameters<Bus['preview']>[1]['publisher'] = ada,
      by: BusCaller = OPERATOR,
    ) => bus.preview(by, { namespace: t.namespace, topic, publisher });
    expect(await preview('work.done')).toEqual({
      allowed: true,
      rule: 'work.>',
      circuit: 'closed',
      because:
        'The rule "work.>" allows it, but no agent would receive it: no group and no live stream takes "work.done", ' +
        'although agent "bob" declares it.',
      groups: [],
      otherGroups: 0,
      streams: 0,
      silent: ['bob'],
      similar: [],
    });
    await consume(bus).stop();
    await attached(subscribe(bus));
    await attached(subscribe(bus, { by: OPERATOR }));
    t.clock.advance(1001);
    expect(await preview('work.done')).toMatchObject({
      because:
        'The rule "work.>" allows it, and it would reach 1 group (crew), 1 live stream of agents and 1 live stream of operators or viewers.',
      groups: ['crew'],
      streams: 2,
      silent: [],
    });
    expect(await preview('work.done', null)).toMatchObject({ allowed: true, rule: null, circuit: null });
    expect(await preview('work.done', null, VIEWER)).toMatchObject({
      allowed: false,
      because: 'A viewer token may not publish.',
    });
    expect(await preview('work.hard')).toMatchObject({
      allowed: false,
      rule: 'work.hard',
      because: 'Agent "ada" (role "coder") may not publish "work.hard": the rule "work.hard" denies it.',
    });
    expect(await preview('play')).toMatchObject({
      allowed: false,
      rule: null,
      because: 'Agent "ada" (role "coder") may not publish "play": no publish rule of the policy matches it.',
    });
    expect(await preview('work.done', { ...ada, circuit: 'half_open' })).toMatchObject({
      allowed: false,
      circuit: 'half_open',
      because:
        'Agent "ada" (role "coder") is refused because its circuit is half open; the rule "work.>" would allow "work.done".',
    });
    expect(await preview('system.x')).toMatchObject({
      allowed: false,
      rule: 'system.>',
      because: 'Only the core may publish topics that begin with "system.".',
    });
    const { events } = await bus.read(VIEWER, { namespace: t.namespace, topics: ['>'], limit: 10 });
    expect(events).toEqual([]);
  });

  test('a preview of a topic that is wrong by a letter names the one that was meant', async () => {
    const bus = await swarm();
    await publish(bus, 1, { topic: 'build.finished' });
    await consume(bus, { topics: ['orders.*'] }).stop();
    t.clock.advance(1001);
    const similar = async (topic: string) => bus.preview(OPERATOR, { namespace: t.namespace, topic, publisher: null });
    expect(await similar('build.finishd')).toMatchObject({
      because:
        'No agent would receive it: no group and no live stream takes "build.finishd"; did you mean "build.finished"?',
      similar: ['build.finished'],
    });
    await until(async () => {
      t.clock.advance(1001);
      expect(await similar('order.new')).toMatchObject({ similar: ['orders.*'] });
    });
  });
}
