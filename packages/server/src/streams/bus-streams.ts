// The streams of the bus: subscriptions, and what consumer groups hand out.
import { ConsumeInput, SubscribeInput } from '@hypercode/contracts';
import type { GroupItem, SubscriptionItem } from '@hypercode/bus';
import { busCallerOf } from '../bus-caller.ts';
import { whileAlive } from './stream-life.ts';
import type { StreamKind } from './stream-kind.ts';

/** FORBIDDEN, ACL_DENIED, INVALID_INPUT, UNAVAILABLE. */
export const subscribeStream: StreamKind<typeof SubscribeInput, SubscriptionItem> = {
  name: 'subscribe',
  path: 'bus.subscribe',
  input: SubscribeInput,
  async *open(call, input) {
    const caller = busCallerOf(call.identity.principal, input.namespace);
    yield* whileAlive(call, ({ signal }) => call.core.bus.subscribe(caller, input, signal));
  },
};

/** FORBIDDEN, ACL_DENIED, CONFLICT, UNAVAILABLE. */
export const consumeStream: StreamKind<typeof ConsumeInput, GroupItem> = {
  name: 'consume',
  path: 'bus.consume',
  input: ConsumeInput,
  async *open(call, input) {
    const caller = busCallerOf(call.identity.principal, input.namespace);
    yield* whileAlive(call, (over) => call.core.bus.consume(caller, input, over));
  },
};
