// What publishing promises: sources, limits, duplicates, refusals in their place.
import { type PublishRate } from '../../src/admission/admit.ts';
import { type AgentCaller, type AgentCircuit } from '../../src/admission/caller.ts';
import { putPolicy } from '../policy-change.ts';
import { OPERATOR, VIEWER, CLOSED, atMost, until, dataOf, type BusFixture } from './bus-fixture.ts';
import { SwarmError } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';

export function publishingSuite(t: BusFixture): void {
  const { agent, publish, subscribe, attached, replica, swarm } = t;
  test('a publish is answered with the id and position, and the core sets the source', async () => {
    const bus = await swarm();
    const result = await publish(bus, { n: 1 }, { subject: 'x' });
    const input = { topic: 'work.done', data: 2, source: '/agents/x/somebody-else', namespace: 'elsewhere' };
    await bus.publishMany(agent('ada'), t.namespace, [input]);
    await bus.publish(OPERATOR, t.namespace, { topic: 'work.done', data: 3 });
    const { events } = await bus.read(VIEWER, { namespace: t.namespace, topics: ['>'], after: undefined, limit: 10 });
    expect(events[0]).toMatchObject({ position: result.position, event: { id: result.id, subject: 'x' } });
    expect(events.map(({ event }) => [event.data, event.source, event.namespace])).toEqual([
      [{ n: 1 }, `/agents/${t.namespace}/ada`, t.namespace],
      [2, `/agents/${t.namespace}/ada`, t.namespace],
      [3, '/operators/ops', t.namespace],
    ]);
  });

  test('a repeated publish, on any replica, is answered with the first position', async () => {
    const bus = await swarm();
    const other = await replica();
    const listener = subscribe(other);
    await attached(listener);
    const id = randomUUID();
    const first = await publish(bus, 'once', { id });
    const again = await Promise.all([publish(bus, 'once', { id }), publish(other, 'once', { id: id.toUpperCase() })]);
    for (const one of again) expect(one).toEqual({ ...first, duplicate: true });
    const [a, b] = (
      await other.publishMany(agent('ada'), t.namespace, [
        { id, topic: 'work.done', data: 'once' },
        { topic: 'work.done', data: 'last' },
      ])
    ).results;
    expect(a).toEqual({ ...first, duplicate: true });
    expect(b).toMatchObject({ duplicate: false });
    await until(() => expect(dataOf(listener)).toEqual(['once', 'last']));
  });

  test('a source cannot use up an id of another source', async () => {
    const bus = await swarm();
    const id = randomUUID();
    await publish(bus, 'mine', { id, by: agent('eve') });
    expect(await publish(bus, 'yours', { id, by: agent('ada') })).toMatchObject({ id, duplicate: false });
  });

  test('each event of a list is admitted by itself', async () => {
    const bus = await swarm();
    await putPolicy(bus, t.namespace, { roles: {}, default: { publish: ['a.*'], subscribe: ['>'] } }, 1);
    const id = randomUUID();
    const { results } = await bus.publishMany(agent('ada'), t.namespace, [
      { topic: 'a.b', data: 1 },
      { id, topic: 'b', data: 2 },
      { topic: 'a..b', data: 3 },
      { topic: 'a.c', data: undefined },
      null,
      { topic: 'a.d', data: 'x'.repeat(300_000) },
      { topic: 'system.a', data: 1 },
      { topic: 'a.e', data: '\ud800' },
      { topic: 'a.f', data: 4 },
    ]);
    const codes = results.map((result) => ('error' in result ? result.error.code : 'ok'));
    expect(codes).toEqual([
      'ok',
      'ACL_DENIED',
      'INVALID_INPUT',
      'INVALID_INPUT',
      'INVALID_INPUT',
      'PAYLOAD_TOO_LARGE',
      'ACL_DENIED',
      'INVALID_INPUT',
      'ok',
    ]);
    expect(results[1]).toMatchObject({ id, error: { details: { role: 'coder', topic: 'b', rule: null } } });
  });

  test('a refusal by circuit or rate carries the time after which to retry', async () => {
    const now = t.clock.epochMs();
    let circuit: AgentCircuit | null = CLOSED;
    const circuitOf = ({ name }: AgentCaller) => (name === 'ada' ? circuit : CLOSED);
    const bus = await swarm({ rate: atMost(3), circuitOf });
    const refusalOf = (more: Partial<AgentCircuit>) => {
      circuit = { circuit: 'open', circuitReason: 'four failures', circuitOpenUntilMs: null, ...more };
      return publish(bus, 1).catch((error: unknown) => error);
    };
    expect(await refusalOf({ circuitOpenUntilMs: now + 28_999.5 })).toMatchObject({
      code: 'CIRCUIT_OPEN',
      message: expect.stringContaining('four failures'),
      retryAfterMs: 29_000,
    });
    // The time is unknown: an operator tripped it, its time has passed by this clock, or it has its trials.
    expect(await refusalOf({})).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1000 });
    expect(await refusalOf({ circuitOpenUntilMs: now })).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1000 });
    expect(await refusalOf({ circuit: 'half_open' })).toMatchObject({ code: 'CIRCUIT_OPEN', retryAfterMs: 1000 });
    circuit = null;
    await expect(publish(bus, 1)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    circuit = CLOSED;
    for (let i = 0; i < 3; i += 1) await publish(bus, i);
    await expect(publish(bus, 4)).rejects.toMatchObject({ code: 'RATE_LIMITED', retryAfterMs: 250 });
    await publish(bus, 'another agent', { by: agent('eve') });
  });

  test('events are counted by their bytes as JSON, and the rest of a list is refused with the event that is too much', async () => {
    const taken: [caller: string, bytes: number | undefined][] = [];
    const byteRate: PublishRate = {
      take: (caller, bytes = 0) => {
        if (bytes > 1000) throw new SwarmError('RATE_LIMITED', 'too many bytes', { retryAfterMs: 10 });
        taken.push([caller, bytes]);
      },
    };
    const bus = await swarm({ byteRate });
    const given = ['a', 'x'.repeat(1000), 'c'].map((data) => ({ topic: 'a.a', data }));
    const { results } = await bus.publishMany(agent('ada'), t.namespace, given);
    const limited = { error: { code: 'RATE_LIMITED', retryAfterMs: 10 } };
    expect(results).toMatchObject([{ duplicate: false }, limited, limited]);
    await expect(bus.publish(agent('ada'), t.namespace, { topic: 'a.a', data: '€'.repeat(400) })).rejects.toMatchObject(
      {
        code: 'RATE_LIMITED',
      },
    );
    const { events } = await bus.read(OPERATOR, {
      namespace: t.namespace,
      topics: ['a.a'],
      after: undefined,
      limit: 10,
    });
    expect(taken).toEqual([[`agent ${t.namespace} ada`, Buffer.byteLength(JSON.stringify(events[0]?.event))]]);
    // The core's own events have no limit.
    await bus.publishSystem(t.namespace, { topic: 'system.test', data: 'x'.repeat(1000) });
  });

  test('what was published of a list that met the rate is its beginning', async () => {
    // The next one is allowed again, as when the bucket fills while the list is read.
    const refusing = new Set([3]);
    let count = 0;
    const rate: PublishRate = {
      take: () => {
        count += 1;
        if (refusing.has(count)) throw new SwarmError('RATE_LIMITED', 'too many events', { retryAfterMs: 10 });
      },
    };
    const bus = await swarm({ rate });
    const listener = subscribe(bus);
    await attached(listener);
    const given = ['a.a', 'system.no', 'a.b', 'a.c', 'a.d', 'system.no', 'a.e'].map((topic, data) => ({
      topic,
      data,
    }));
    const ids = given.map(() => randomUUID());
    const events = [...given.map((event, index) => ({ ...event, id: ids[index] })), { topic: 'not a topic' }];
    const { results } = await bus.publishMany(agent('ada'), t.namespace, events);
    const limited = { code: 'RATE_LIMITED', retryable: true, retryAfterMs: 10 };
    expect(results).toMatchObject([
      { id: ids[0], duplicate: false },
      { id: ids[1], error: { code: 'ACL_DENIED' } },
      { id: ids[2], duplicate: false },
      ...ids.slice(3).map((id) => ({ id, error: limited })),
      { id: null, error: limited },
    ]);
    // None of them was counted.
    expect(count).toBe(3);
    await bus.publishMany(agent('ada'), t.namespace, events.slice(3, 5));
    await until(() => expect(dataOf(listener)).toEqual([0, 2, 3, 4]));
  });

  test('thousands of concurrent publishes keep the order of each publisher', async () => {
    const bus = await swarm();
    const other = await replica();
    const listeners = [subscribe(bus), subscribe(other), subscribe(other, { topics: ['work.done'] })];
    for (const listener of listeners) await attached(listener);
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let i = 0; i < 25; i += 1) await publish(writer % 2 === 0 ? bus : other, [writer, i]);
    });
    await Promise.all(writers);
    for (const listener of listeners) {
      await until(() => expect(listener.of('event')).toHaveLength(200));
      for (let writer = 0; writer < 8; writer += 1) {
        const own = (dataOf(listener) as [number, number][]).filter(([who]) => who === writer);
        expect(own.map(([, i]) => i)).toEqual(Array.from({ length: 25 }, (_, i) => i));
      }
    }
    expect(new Set(listeners.map((listener) => JSON.stringify(dataOf(listener)))).size).toBe(1);
  });
}
