import { sharedRedisUrl, signalConformance, signalOutageConformance, startRedis } from '@hypercode/testkit';
import { createRedisSignal } from './redis-signal.ts';

const url = sharedRedisUrl();

signalConformance('createRedisSignal', async () => ({
  first: createRedisSignal({ url }),
  second: createRedisSignal({ url }),
}));

signalOutageConformance('createRedisSignal', async () => {
  const server = await startRedis({ own: true });
  const errors: Error[] = [];
  return {
    first: createRedisSignal({ url: server.url }),
    second: createRedisSignal({ url: server.url, onError: (error) => errors.push(error) }),
    server,
    errors,
    close: () => server.close(),
  };
});
