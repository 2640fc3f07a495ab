// Where the route that publishes differs from its declaration: one event or many, as our own JSON or as CloudEvents.
import { LIMITS, PublishInput, PublishManyResult, PublishResult, type SwarmErrorBody } from '@hypercode/contracts';
import { z } from 'zod';
import { answer, callProcedure, servedProcedure } from '../procedures/procedures.ts';
import { ATTRIBUTES, CloudEvent } from './cloud-event.ts';
import { CLOUD_EVENT_MEDIA_TYPE, CLOUD_EVENTS_MEDIA_TYPE } from './cloud-event-message.ts';
import type { RestCall, Variation } from './declared-route.ts';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { mergeInput } from './merge-input.ts';
import { type PostedEvents, postedEvents } from './posted-events.ts';

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
      : publishMany(call, posted.many);
  },
};

/** Publishes what could be read as an event, and answers in the order of the body. RATE_LIMITED refuses everything after it. */
async function publishMany(
  call: RestCall,
  many: Extract<PostedEvents, { many: unknown }>['many'],
): Promise<PublishManyResult> {
  const events = many.flatMap((one) => ('event' in one ? [one.event as PublishInput] : []));
  const published = await callProcedure('bus.publishMany', call, { ...call.fromUrl, events });
  const answers = published.results.values();
  let limit: SwarmErrorBody | undefined;
  const results = many.flatMap((one) => {
    if ('refusal' in one) {
      const error = limit ?? one.refusal.error;
      call.core.onRefusal(error);
      return [{ ...one.refusal, error }];
    }
    const { value: result } = answers.next();
    if (result === undefined) return [];
    if ('error' in result && result.error.code === 'RATE_LIMITED') limit ??= result.error;
    return [result];
  });
  return { results };
}
