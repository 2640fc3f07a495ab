// What the compiler knows of events by their catalogue.
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import {
  type Consumer,
  createSwarmClient,
  defineEvents,
  type PublishResult,
  type SubscriptionEvent,
  type SwarmEvent,
  type TopicListener,
} from '../index.ts';

const client = createSwarmClient({ url: 'http://127.0.0.1:7700', token: 'token' });
const events = client.events(
  defineEvents({
    'build.finished': z.object({ ok: z.boolean(), tookMs: z.number().default(0) }),
    'task.*.assigned': z.object({ taskId: z.string() }),
    'log.>': z.string(),
  }),
);

describe('publishing', () => {
  test('takes the data of the topic', () => {
    expectTypeOf(events.publish('build.finished', { ok: true })).resolves.toEqualTypeOf<PublishResult>();
    void events.publish('build.finished', { ok: true, tookMs: 3 }, { correlationId: 'c' });
    void events.publish('task.qa-1.assigned', { taskId: 't' });
    void events.publish('log.core.started', 'at last');
    const agent: string = 'qa-1';
    void events.publish(`task.${agent}.assigned`, { taskId: 't' });
  });

  test('takes no other', () => {
    // @ts-expect-error of another type
    void events.publish('build.finished', { ok: 'yes' });
    // @ts-expect-error of another topic
    void events.publish('task.qa-1.assigned', { ok: true });
    // @ts-expect-error not in the catalogue
    void events.publish('build.started', {});
    // @ts-expect-error too many tokens for the pattern
    void events.publish('task.qa.one.assigned', { taskId: 't' });
    // @ts-expect-error a pattern is no topic
    void events.publish('task.*.assigned', { taskId: 't' });
  });
});

describe('reading', () => {
  test('the type of a subscribed event follows from its topic', async () => {
    for await (const item of events.subscribe({ topics: ['build.finished', 'task.*.assigned'] })) {
      if (item.type !== 'event') {
        expectTypeOf(item).toEqualTypeOf<Exclude<SubscriptionEvent, { type: 'event' }>>();
        continue;
      }
      if (item.event.topic === 'build.finished') {
        expectTypeOf(item.event.data).toEqualTypeOf<{ ok: boolean; tookMs: number }>();
      } else {
        expectTypeOf(item.event.data).toEqualTypeOf<{ taskId: string }>();
        expectTypeOf(item.event.topic).toEqualTypeOf<`task.${string}.assigned`>();
      }
    }
    // @ts-expect-error not in the catalogue
    events.subscribe({ topics: ['build.started'] });
  });

  test('handlers get the data of their topic', () => {
    const listener = events.on('log.core', ({ data, topic, source }) => {
      expectTypeOf(data).toEqualTypeOf<string>();
      expectTypeOf(topic).toEqualTypeOf<'log.core'>();
      expectTypeOf(source).toEqualTypeOf<string>();
    });
    expectTypeOf(listener).toEqualTypeOf<TopicListener>();
    const consumer = events.consume({ group: 'qa', topics: ['task.qa-1.assigned'] }, ({ data }, delivery) => {
      expectTypeOf(data).toEqualTypeOf<{ taskId: string }>();
      expectTypeOf(delivery.attempt).toEqualTypeOf<number>();
      expectTypeOf(delivery.signal).toEqualTypeOf<AbortSignal>();
    });
    expectTypeOf(consumer).toEqualTypeOf<Consumer>();
  });

  test('an invalid event is reported as it came', () => {
    events.on('log.core', () => {}, {
      onInvalid: (event, error) => {
        expectTypeOf(event).toEqualTypeOf<SwarmEvent>();
        expectTypeOf(error.code).toEqualTypeOf<'INVALID_INPUT'>();
      },
    });
    events.consume({ group: 'qa', topics: ['log.>'], onInvalid: () => 'ack' }, () => {});
    // @ts-expect-error there is no third way
    events.consume({ group: 'qa', topics: ['log.>'], onInvalid: () => 'drop' }, () => {});
  });
});

test('without a catalogue, any topic and any JSON', async () => {
  expectTypeOf(client.publish('a.b', { any: ['thing'] })).resolves.toEqualTypeOf<PublishResult>();
  expectTypeOf(client.subscribe({ topics: ['a.*'], from: { after: '7' } })).toExtend<
    AsyncIterable<SubscriptionEvent>
  >();
  client.consume({ group: 'g', topics: ['a'] }, (event) => {
    expectTypeOf(event).toEqualTypeOf<SwarmEvent>();
  });
  // @ts-expect-error a word of another kind
  client.subscribe({ topics: ['a'], from: 'yesterday' });
});
