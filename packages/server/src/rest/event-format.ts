// `?format=cloudevents`: where an answer or a stream has an event, it has a CloudEvent in the JSON format.
import { type ClaimResult, invalidField, type LoggedEvent, type SubscriptionEvent } from '@hypercode/contracts';
import type { StreamItem } from '@hypercode/feed';
import { z } from 'zod';
import { FrameEncoder, plainFrames } from '../sse/frames.ts';
import { cloudEventOf } from './cloud-event.ts';
import type { Parameters } from './parameters.ts';

/** How the events of a route become CloudEvents: those of its answer, or those of its stream. */
export interface CloudEventForm {
  readonly answer?: (result: never) => unknown;
  readonly encoder?: FrameEncoder;
}

const CLOUD_EVENTS = 'cloudevents';

export const FORMAT: Parameters = {
  format: {
    schema: z.enum([CLOUD_EVENTS]),
    description:
      '`cloudevents`: each `event` is a CloudEvent 1.0 in the JSON format. `source` and `id` are set by the core; those of a ' +
      'CloudEvent that was published are in `originsource` and `originid`.',
    required: false,
    decode: (given) => given,
  },
};

/** The form that was asked for; undefined: events stay as they are. INVALID_INPUT for an unknown format. */
export function asCloudEvents(form: CloudEventForm | undefined, query: unknown): CloudEventForm | undefined {
  if (form === undefined) return undefined;
  const { format } = query as Readonly<Record<string, unknown>>;
  if (format === undefined) return undefined;
  if (format !== CLOUD_EVENTS) throw invalidField('format', `must be ${CLOUD_EVENTS}, or absent`);
  return form;
}

const converted = <Holder extends Pick<LoggedEvent, 'position' | 'event'>>(holder: Holder) => ({
  ...holder,
  event: cloudEventOf(holder.event, holder.position),
});

/** Of pages of events, and of those that were found. */
export const reading: CloudEventForm = {
  answer: <Answer extends { readonly events: readonly LoggedEvent[] }>(result: Answer) => ({
    ...result,
    events: result.events.map(converted),
  }),
};

export const claiming: CloudEventForm = {
  answer: (result: ClaimResult) => ({ ...result, deliveries: result.deliveries.map(converted) }),
};

export const subscribing: CloudEventForm = {
  encoder: new FrameEncoder((item) => {
    if (item.type !== 'event') return plainFrames.value(item);
    const { id, type, event } = item as StreamItem<Extract<SubscriptionEvent, { type: 'event' }>>;
    return plainFrames.value({ id, type, event, json: JSON.stringify(converted(event)) });
  }),
};
