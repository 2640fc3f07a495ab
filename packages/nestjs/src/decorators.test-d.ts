// What the compiler holds decorated methods to.
import { type Delivery, defineEvents, type SwarmEvent, type TypedEvent } from '@hypercode/client';
import { describe, test } from 'vitest';
import { z } from 'zod';
import { OnSwarmEvent, swarmEvents, SwarmTask } from './index.ts';

const catalogue = defineEvents({
  'build.finished': z.object({ ok: z.boolean(), tookMs: z.number().default(0) }),
  'task.*.assigned': z.object({ taskId: z.string() }),
});
const events = swarmEvents(catalogue);
type On<T extends 'build.finished' | 'task.*.assigned'> = TypedEvent<typeof catalogue, T>;

describe('with a catalogue', () => {
  test('a method takes the events of its topics, or less', () => {
    class Handlers {
      @events.OnSwarmEvent('build.finished')
      exact(event: On<'build.finished'>) {
        return event.data.tookMs;
      }
      @events.OnSwarmEvent('build.finished', { from: 'earliest', onInvalid: () => {} })
      less({ data }: { data: { ok: boolean } }) {
        return data.ok;
      }
      @events.OnSwarmEvent('task.{name}.assigned')
      async own(event: On<'task.*.assigned'>): Promise<void> {
        await Promise.resolve(event.data.taskId);
      }
      @events.OnSwarmEvent(['build.finished', 'task.qa-1.assigned'])
      several(event: On<'build.finished'> | On<'task.*.assigned'>) {
        return event.topic === 'build.finished' ? event.data.ok : event.data.taskId;
      }
      @events.OnSwarmEvent('build.finished')
      whatever(event: SwarmEvent) {
        return event.data;
      }
      @events.OnSwarmEvent('build.finished')
      nothing() {}
      @events.SwarmTask('builders', { topics: ['build.finished'], onInvalid: () => 'ack' })
      task(event: On<'build.finished'>, { attempt, signal }: Delivery) {
        return [event.data.ok, attempt, signal];
      }
      @events.SwarmTask('builders', { topics: ['build.finished'], maxInFlight: 2 })
      noDelivery(event: On<'build.finished'>) {
        return event;
      }
    }
    void Handlers;
  });

  test('and no other', () => {
    class Handlers {
      // @ts-expect-error data of another type
      @events.OnSwarmEvent('build.finished')
      otherType(event: { data: { ok: string } }) {
        return event;
      }
      // @ts-expect-error data of another topic
      @events.OnSwarmEvent('build.finished')
      otherTopic(event: On<'task.*.assigned'>) {
        return event;
      }
      // @ts-expect-error data of another topic than one of several
      @events.OnSwarmEvent(['build.finished', 'task.qa-1.assigned'])
      oneOfTwo(event: On<'build.finished'>) {
        return event;
      }
      // @ts-expect-error data that says more than the schema does
      @events.OnSwarmEvent('build.finished')
      more(event: { data: { ok: boolean; tookMs: number; log: string } }) {
        return event;
      }
      // @ts-expect-error a subscription has no delivery
      @events.OnSwarmEvent('build.finished')
      delivery(event: On<'build.finished'>, { attempt }: Delivery) {
        return [event, attempt];
      }
      // @ts-expect-error data of another topic
      @events.SwarmTask('builders', { topics: ['build.finished'] })
      taskOfOtherTopic(event: On<'task.*.assigned'>) {
        return event;
      }
      // @ts-expect-error the second is the delivery
      @events.SwarmTask('builders', { topics: ['build.finished'] })
      notTheDelivery(event: On<'build.finished'>, attempt: number) {
        return [event, attempt];
      }
      // @ts-expect-error not in the catalogue
      @events.OnSwarmEvent('build.started')
      unknownTopic() {}
      // @ts-expect-error not in the catalogue
      @events.SwarmTask('builders', { topics: ['build.started'] })
      unknownTopicOfTask() {}
      // @ts-expect-error there is no third way
      @events.SwarmTask('builders', { topics: ['build.finished'], onInvalid: () => 'drop' })
      verdict() {}
      // @ts-expect-error not a method
      @events.OnSwarmEvent('build.finished')
      field = 1;
    }
    void Handlers;
  });
});

test('without a catalogue, data is any JSON', () => {
  class Handlers {
    @OnSwarmEvent(['a.*', 'task.{name}.>'], { from: { after: '7' } })
    any(event: SwarmEvent) {
      return event.data;
    }
    @SwarmTask('{name}', { topics: ['a'], retryDelayMs: (attempt) => attempt * 10 })
    task(_: SwarmEvent, { deliveryId }: Delivery) {
      return deliveryId;
    }
    // @ts-expect-error nothing has checked that
    @OnSwarmEvent('a.b')
    unchecked(event: { data: { ok: boolean } }) {
      return event;
    }
    // @ts-expect-error a group has topics
    @SwarmTask('g', {})
    noTopics() {}
  }
  void Handlers;
});
