// Values as server-sent events, encoded once for everybody who is sent the same.
import type { StreamBatch, StreamItem } from '@hypercode/feed';
import { SSE_CLIENT_OPTIONS } from '../trpc/sse-options.ts';
import { toErrorShape, toRefusal } from '../refusals.ts';

/** A way to write a stream of values as server-sent events (WHATWG HTML, section 9.2). */
export interface FrameFormat {
  /** The first bytes of a stream. */
  opening: string;
  value: (item: StreamItem) => string;
  /** Bytes without a value, which tell the reader that the connection lives. */
  sign: string;
  /** The last bytes of a stream that ends because of a refusal. */
  refusal: (thrown: unknown) => string;
}

/** tRPC's wire format, as `httpSubscriptionLink` reads it: byte for byte what tRPC's own producer writes. */
export const trpcFrames = (path: string): FrameFormat => ({
  ...TRPC_VALUES,
  refusal: (thrown) => `event: serialized-error\ndata: ${JSON.stringify(toErrorShape(thrown, path))}\n\n\n`,
});

const TRPC_VALUES = {
  opening: `event: connected\ndata: ${JSON.stringify(SSE_CLIENT_OPTIONS)}\n\n\n`,
  value: ({ id, json }: StreamItem) => `data: ${json}\nid: ${id}\n\n\n`,
  sign: 'event: ping\ndata: \n\n\n',
};

/** For every other client: the event's type as the event's name. */
export const plainFrames: FrameFormat = {
  opening: ': connected\n\n',
  sign: ': still here\n\n',
  value: ({ id, type, json }) => `event: ${type}\nid: ${id}\ndata: ${json}\n\n`,
  refusal: (thrown) => `event: error\ndata: ${JSON.stringify(toRefusal(thrown).toJSON())}\n\n`,
};

/** Keeps the bytes of values and batches as long as these are alive. One for each format, for all streams. */
export class FrameEncoder {
  readonly #encode: FrameFormat['value'];
  readonly #frames = new WeakMap<StreamItem, Buffer>();
  readonly #batches = new WeakMap<StreamBatch, Buffer>();

  constructor(encode: FrameFormat['value']) {
    this.#encode = encode;
  }

  encode(batch: StreamBatch): Buffer {
    const [first] = batch;
    if (first !== undefined && batch.length === 1) return this.#frame(first);
    let bytes = this.#batches.get(batch);
    if (bytes === undefined) {
      bytes = Buffer.concat(batch.map((item) => this.#frame(item)));
      this.#batches.set(batch, bytes);
    }
    return bytes;
  }

  #frame(item: StreamItem): Buffer {
    let frame = this.#frames.get(item);
    if (frame === undefined) this.#frames.set(item, (frame = Buffer.from(this.#encode(item))));
    return frame;
  }
}

export const trpcEncoder = new FrameEncoder(TRPC_VALUES.value);
export const plainEncoder = new FrameEncoder(plainFrames.value);
