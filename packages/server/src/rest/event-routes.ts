// Where the route that publishes differs from its declaration: one event or many, as our own JSON or as CloudEvents.
import { LIMITS, PublishInput, PublishManyResult, PublishResult } from '@hypercode/contracts';
import { z } from 'zod';
import { answer, callProcedure, servedProcedure } from '../procedures/procedures.ts';
import { ATTRIBUTES, CloudEvent } from './cloud-event.ts';
import { CLOUD_EVENT_MEDIA_TYPE, CLOUD_EVENTS_MEDIA_TYPE } from './cloud-event-message.ts';
import type { Variation } from './declared-route.ts';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { mergeInput } from './merge-input.ts';
import { postedEvents } from './posted-events.ts';

export const publishing: Variation = {
  headers: Object.fromEntries(
    ATTRIBUTES.map((name) => [
      `ce-${name}`,
      { schema: z.string(), description: `\`${name}\` of a CloudEvent in binary mode.` },
    ]),
  ),
  body: {
    [JSON_MEDIA_TYPE]: z.union([PublishInput, z.array(PublishInput).max(LIMITS.publishManyEvents)]),
    [CLOUD_EVENT_MEDIA_TYPE]: CloudEvent,
    [CLOUD_EVENTS_MEDIA_TYPE]: z.array(CloudEvent).max(LIMITS.publishManyEvents),
    '*/*': z.unknown(),
  },
  answer: z.union([PublishResult, PublishManyResult]),
  maxBodyBytes: LIMITS.publishManyBytes,
  anyMediaType: true,
  call: async (call) => {
    const posted = postedEvents(call.request);
    return 'one' in posted
      ? answer(servedProcedure('bus.publish'), call, mergeInput(posted.one, call.fromUrl))
      : callProcedure('bus.publishMany', call, { ...call.fromUrl, events: posted.many as PublishInput[] });
  },
};
