// The subscriptions of the router, each described once for every transport.
import type { StreamBatch, StreamItem } from '@hypercode/feed';
import { type TrackedEnvelope, tracked } from '@trpc/server';
import type { z } from 'zod';
import type { CallContext } from '../context.ts';
import type { StreamName } from '../metrics.ts';
import type { StreamCall } from './stream-life.ts';

export interface StreamKind<Input extends z.ZodType, I extends StreamItem> {
  /** What metrics call it. */
  readonly name: StreamName;
  /** The procedure. */
  readonly path: string;
  readonly input: Input;
  /** Ends silently when the caller goes or the core drains, and throws every refusal. */
  readonly open: (call: StreamCall, input: z.output<Input>) => AsyncGenerator<StreamBatch<I>, void>;
}

/** A stream as tRPC's own adapters want it: one tracked value at a time, at the pace of the transport. */
export async function* trackedValues<I extends StreamItem>(
  ctx: CallContext,
  name: StreamName,
  batches: AsyncGenerator<StreamBatch<I>, void>,
): AsyncGenerator<TrackedEnvelope<I['event']>, void> {
  const tally = ctx.core.metrics.streams[name].websocket;
  const over = tally.opened();
  try {
    for await (const batch of batches) {
      for (const item of batch) {
        yield tracked(item.id, item.event);
        tally.sent([item], 0);
        await ctx.drained();
      }
    }
  } finally {
    over();
  }
}
