import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { trackLeaks } from './track-leaks.ts';

test('is content when everything started is closed, even a little later', async () => {
  const leaks = trackLeaks();
  const server = createServer().listen(0, '127.0.0.1');
  setTimeout(() => server.close(), 50);
  await expect(leaks.check()).resolves.toBeUndefined();
});

test('lists what leaked', async () => {
  const leaks = trackLeaks();
  const servers = [createServer().listen(0, '127.0.0.1'), createServer().listen(0, '127.0.0.1')];
  const timers = Array.from({ length: 10 }, () => setInterval(() => undefined, 60_000));
  try {
    await expect(leaks.check(50)).rejects.toThrow(/^Leaked: .*2 × TCPServerWrap/);
    await expect(leaks.check(50)).rejects.toThrow(/\d+ × Timeout/);
  } finally {
    for (const timer of timers) clearInterval(timer);
    for (const server of servers) server.close();
  }
  await leaks.check();
});

test('does not blame resources that were there before', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  const leaks = trackLeaks();
  await expect(leaks.check()).resolves.toBeUndefined();
  server.close();
});
