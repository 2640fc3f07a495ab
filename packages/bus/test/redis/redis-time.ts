// The time of a store in Redis, for the suites. Scripts take it from the server, so it cannot be held: it is waited for.
import type { RedisConnection } from '@hypercode/stores';
import { waitFor } from '@hypercode/testkit';
import type { StoreTime } from '../../testing/bus-store.ts';

export function redisTime(connection: RedisConnection): StoreTime {
  const nowMs = async (): Promise<number> => {
    const [seconds, micros] = await connection.ask((client) => client.time());
    return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
  };
  return {
    nowMs,
    async pass(ms) {
      const endMs = (await nowMs()) + ms;
      await waitFor(async () => (await nowMs()) >= endMs, { what: `${ms} ms of the server`, intervalMs: 5 });
    },
  };
}
