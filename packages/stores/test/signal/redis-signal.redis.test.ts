import { sharedRedisUrl, startRedis, startRedisCluster, trackLeaks, waitFor } from '@hypercode/testkit';
import { signalConformance, signalOutageConformance } from '@hypercode/feed/testing';
import { Redis } from 'ioredis';
import { expect, test } from 'vitest';
import { createRedisSignal } from '../../src/signal/redis-signal.ts';

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

test('swarms with different prefixes do not wake each other', async () => {
  const [blue, alsoBlue, green] = ['blue', 'blue', 'green'].map((prefix) => createRedisSignal({ url, prefix }));
  if (blue === undefined || alsoBlue === undefined || green === undefined) throw new Error('no signals');
  const signals = [blue, alsoBlue, green];
  await waitFor(() => signals.every(({ linked }) => linked), { what: 'all to be linked' });
  let [woken, strange] = [0, 0];
  alsoBlue.subscribe('c', () => void woken++);
  green.subscribe('c', () => void strange++);
  blue.notify('c');
  await waitFor(() => woken > 0, { what: 'the wake-up' });
  green.notify('d');
  expect(strange).toBe(0);
  await Promise.all(signals.map((signal) => signal.close()));
});

test('a command that the server does not allow is the reason that is reported', async () => {
  const server = await startRedis({ own: true });
  const admin = new Redis(server.url, { lazyConnect: true });
  await admin.connect();
  await admin.call('ACL', 'SETUSER', 'silent', 'on', '>secret', '~*', 'resetchannels', '+@all');
  const errors: Error[] = [];
  const address = new URL(server.url);
  address.username = 'silent';
  address.password = 'secret';
  const signal = createRedisSignal({ url: address.href, onError: (error) => errors.push(error) });
  await waitFor(() => errors.length > 0, { what: 'the failure to be reported' });
  expect(errors[0]?.message).toMatch(/^NOPERM/);
  await signal.close();
  await admin.quit();
  await server.close();
});

test('on a Cluster, a replica that only listens follows the channel to another node', { timeout: 60_000 }, async () => {
  const leaks = trackLeaks();
  const cluster = await startRedisCluster();
  const nodes = cluster.nodeUrls.map((nodeUrl) => new Redis(nodeUrl, { lazyConnect: true }));
  const first = createRedisSignal({ url: cluster.url });
  const second = createRedisSignal({ url: cluster.url });
  try {
    let calls = 0;
    second.subscribe('c', () => void calls++);
    const receivesWakeUps = async (): Promise<void> => {
      const before = calls;
      const received = () => {
        first.notify('c');
        return calls > before;
      };
      await waitFor(received, { what: 'a wake-up', timeoutMs: 15_000 });
    };
    await waitFor(() => first.linked && second.linked, { what: 'both to be linked', timeoutMs: 15_000 });
    await receivesWakeUps();

    await Promise.all(nodes.map((node) => node.connect()));
    const ids = await Promise.all(nodes.map((node) => node.cluster('MYID')));
    const slot = Number(await nodes[0]?.cluster('KEYSLOT', '{swarm}:signal'));
    const owner = Math.floor((slot * nodes.length) / 16_384);
    const next = ids[(owner + 1) % nodes.length] ?? '';
    for (const node of nodes) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', next);
    // It is woken when it is linked again, and then by the other.
    await receivesWakeUps();
    await waitFor(() => first.linked && second.linked, { what: 'both to be linked again', timeoutMs: 15_000 });
    await receivesWakeUps();
  } finally {
    await Promise.all([first.close(), second.close(), ...nodes.map((node) => node.quit())]);
    await cluster.close();
  }
  await leaks.check();
});
