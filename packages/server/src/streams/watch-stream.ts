// The watch of the registry: who may, until when, from where.
import { WatchInput } from '@hypercode/contracts';
import { assertMayRead, type WatchItem } from '@hypercode/registry';
import { whileAlive } from './stream-life.ts';
import type { StreamKind } from './stream-kind.ts';

/** FORBIDDEN, INVALID_INPUT, UNAVAILABLE. */
export const watchStream: StreamKind<typeof WatchInput, WatchItem> = {
  name: 'watch',
  path: 'registry.watch',
  input: WatchInput,
  async *open(call, { namespace, since, lastEventId, ...filter }) {
    assertMayRead(call.identity.principal, namespace);
    const request = { namespace, filter, cursor: lastEventId ?? since };
    yield* whileAlive(call, ({ signal }) => call.core.registry.watches.open(request, signal));
  },
};
