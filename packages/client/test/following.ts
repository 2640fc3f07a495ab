// Following a subscription in tests.
import { expect } from 'vitest';
import type { SubscriptionEvent, SwarmClient } from '../src/index.ts';

/** Keeps what a subscription receives, from its attachment on. */
export async function follow(client: SwarmClient, topics: string[]) {
  const values: SubscriptionEvent[] = [];
  const subscription = client.subscribe({ topics });
  const first = await subscription.next();
  expect(first.value).toMatchObject({ type: 'bookmark' });
  const ended = (async () => {
    for await (const value of subscription) values.push(value);
  })();
  const data = (): unknown[] => values.flatMap((value) => (value.type === 'event' ? [value.event.data] : []));
  return { values, data, stop: () => subscription.return?.(), ended };
}
