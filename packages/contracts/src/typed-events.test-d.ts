// The data of a topic, by the catalogue alone.
import { describe, expectTypeOf, test } from 'vitest';
import { type } from 'arktype';
import * as v from 'valibot';
import { z } from 'zod';
import {
  type CatalogueTopic,
  defineEvents,
  type EventCatalogue,
  type EventData,
  type EventInput,
  type TypedEvent,
} from './index.ts';

const events = defineEvents({
  'build.finished': z.object({ ok: z.boolean(), tookMs: z.number().default(0) }),
  'task.*.assigned': z.object({ taskId: z.string() }),
  'task.qa.*': z.object({ qa: z.literal(true) }),
  'log.>': z.string(),
});
type Events = typeof events;

describe('the data of a topic', () => {
  test('is what its schema gives', () => {
    expectTypeOf<EventData<Events, 'build.finished'>>().toEqualTypeOf<{ ok: boolean; tookMs: number }>();
    expectTypeOf<EventInput<Events, 'build.finished'>>().toEqualTypeOf<{ ok: boolean; tookMs?: number | undefined }>();
  });

  test('is that of the pattern that matches it', () => {
    expectTypeOf<EventData<Events, 'task.qa-1.assigned'>>().toEqualTypeOf<{ taskId: string }>();
    expectTypeOf<EventData<Events, 'task.*.assigned'>>().toEqualTypeOf<{ taskId: string }>();
    expectTypeOf<EventData<Events, 'log.core.started'>>().toEqualTypeOf<string>();
    expectTypeOf<EventData<Events, 'log.core'>>().toEqualTypeOf<string>();
  });

  test('is that of the most specific one where several match', () => {
    expectTypeOf<EventData<Events, 'task.qa.assigned'>>().toEqualTypeOf<{ qa: true }>();
  });

  test('is known where a token is not', () => {
    const topicOf = (agent: string) => `task.${agent}.assigned` as const;
    expectTypeOf<EventData<Events, ReturnType<typeof topicOf>>>().toEqualTypeOf<{ taskId: string }>();
  });

  test('is never where no key matches', () => {
    expectTypeOf<EventData<Events, 'build.started'>>().toBeNever();
    expectTypeOf<EventData<Events, 'task.a.b.assigned'>>().toBeNever();
    expectTypeOf<EventData<Events, 'log'>>().toBeNever();
    expectTypeOf<EventData<Events, string>>().toBeNever();
    expectTypeOf<EventInput<Events, 'task.*.assigned'>>().toBeNever();
  });

  test('`>` alone is everything', () => {
    expectTypeOf<EventData<EventCatalogue<{ '>': z.ZodNumber }>, 'a.b.c'>>().toEqualTypeOf<number>();
  });
});

test('the topics of a catalogue are its keys and what they match', () => {
  expectTypeOf<'build.finished'>().toExtend<CatalogueTopic<Events>>();
  expectTypeOf<'task.qa-1.assigned'>().toExtend<CatalogueTopic<Events>>();
  expectTypeOf<'task.*.assigned'>().toExtend<CatalogueTopic<Events>>();
  expectTypeOf<'log.a.b.c'>().toExtend<CatalogueTopic<Events>>();
  expectTypeOf<'build.started'>().not.toExtend<CatalogueTopic<Events>>();
  expectTypeOf<string>().not.toExtend<CatalogueTopic<Events>>();
});

describe('an event', () => {
  test('of a topic has its data', () => {
    expectTypeOf<TypedEvent<Events, 'task.qa-1.assigned'>['data']>().toEqualTypeOf<{ taskId: string }>();
    expectTypeOf<TypedEvent<Events, 'task.qa-1.assigned'>['topic']>().toEqualTypeOf<'task.qa-1.assigned'>();
    expectTypeOf<TypedEvent<Events, 'build.finished'>['source']>().toEqualTypeOf<string>();
  });

  test('of a pattern may be of each key that shares a topic with it', () => {
    expectTypeOf<TypedEvent<Events, 'task.*.assigned'>['data']>().toEqualTypeOf<{ taskId: string } | { qa: true }>();
    expectTypeOf<TypedEvent<Events, 'log.>'>['topic']>().toEqualTypeOf<`log.${string}`>();
  });

  test('of a topic with a name put in is of that topic alone', () => {
    const tasks = defineEvents({
      'task.*.assigned': z.object({ taskId: z.string() }),
      'task.*.failed': z.object({ message: z.string() }),
    });
    type Assigned = TypedEvent<typeof tasks, `task.${string}.assigned`>;
    expectTypeOf<Assigned['data']>().toEqualTypeOf<{ taskId: string }>();
  });

  test('a typed event is discriminated by its topic', () => {
    const read = (event: TypedEvent<Events, 'build.finished' | 'log.>'>): string => {
      if (event.topic === 'build.finished') return String(event.data.tookMs);
      return event.data;
    };
    expectTypeOf(read).returns.toBeString();
  });
});

test('schemas of Valibot and ArkType have their input and output', () => {
  const others = defineEvents({
    'valibot.done': v.object({ ok: v.boolean(), tookMs: v.optional(v.number(), 0) }),
    'arktype.done': type({ ok: 'boolean', tookMs: 'number = 0' }),
  });
  type Others = typeof others;
  type Input = { ok: boolean; tookMs?: number | undefined };
  type Output = { ok: boolean; tookMs: number };
  expectTypeOf<EventInput<Others, 'valibot.done'>>().toEqualTypeOf<Input>();
  expectTypeOf<EventData<Others, 'valibot.done'>>().toEqualTypeOf<Output>();
  expectTypeOf<EventInput<Others, 'arktype.done'>>().toEqualTypeOf<{ ok: boolean; tookMs?: number }>();
  expectTypeOf<EventData<Others, 'arktype.done'>>().toEqualTypeOf<Output>();
});
