// A REST route that ends in a stream: server-sent events, framed for every client.
import { invalidInput } from '@hypercode/contracts';
import type { StreamItem } from '@hypercode/feed';
import { z } from 'zod';
import { plainEncoder, plainFrames } from '../sse/frames.ts';
import { serveStream } from '../sse/serve-stream.ts';
import type { StreamKind } from '../streams/stream-kind.ts';
import { decodeParameters } from './parameters.ts';
import { contextOf, type Route, type RouteDescription } from './route.ts';

export interface StreamRoute<Input extends z.ZodType, I extends StreamItem> extends Omit<
  RouteDescription,
  'method' | 'body' | 'answers' | 'headers'
> {
  kind: StreamKind<Input, I>;
  /** What stands in `data:`. */
  value: z.ZodType;
}

const headers = {
  'Last-Event-ID': {
    schema: z.string(),
    description: 'The `id:` of the last event that was received. The stream continues after it.',
  },
};

/** `Last-Event-ID` becomes the input's `lastEventId`. What is refused before the first value is an ordinary answer. */
export function streamRoute<Input extends z.ZodType, I extends StreamItem>({
  kind,
  value,
  ...description
}: StreamRoute<Input, I>): Route {
  return {
    ...description,
    method: 'GET',
    headers,
    answers: { 200: { description: 'The stream.', schema: value, mediaType: 'text/event-stream' } },
    stream: true,
    serve: async (core, request, reply) => {
      const identity = await contextOf(core, request).identify();
      const lastEventId = request.headers['last-event-id'];
      const input = kind.input.safeParse({
        ...decodeParameters(description.query, request.query),
        ...(lastEventId === undefined || lastEventId === '' ? {} : { lastEventId }),
      });
      if (!input.success) throw invalidInput(input.error);
      await serveStream(request, reply, {
        format: plainFrames,
        encoder: plainEncoder,
        tally: core.metrics.streams[kind.name].sse_rest,
        batches: (signal) => kind.open({ core, identity, signal }, input.data),
        refusesByAnswer: true,
        onRefusal: (code) => core.metrics.refused(code),
        draining: core.draining,
      });
    },
  };
}
