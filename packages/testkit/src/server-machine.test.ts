import { expect, test } from 'vitest';
import { firstAvailable, withoutControl } from './server-machine.ts';

const fails = (message: string) => () => Promise.reject(new Error(message));

test('takes the first source that gives a server', async () => {
  const attempts = [
    { source: 'docker', start: fails('no engine') },
    { source: 'binary', start: async () => 'a server' },
    { source: 'apt', start: fails('never asked') },
  ] as const;
  expect(await firstAvailable(attempts, 'Install one.')).toBe('a server');
});

test('says in one line what to install and what was tried', async () => {
  const attempts = [
    { source: 'docker', start: fails('no Docker engine answers') },
    { source: 'binary', start: fails('broken:\n  first\n  second\n') },
  ] as const;
  await expect(firstAvailable(attempts, 'Install one.')).rejects.toThrow(
    /^Install one\. Tried: docker: no Docker engine answers \| binary: broken:; first; second$/,
  );
});

test('a server that was given by its address refuses to be stopped', async () => {
  const server = withoutControl('TEST_DATABASE_URL', async () => undefined);
  expect(server.controllable).toBe(false);
  for (const verb of ['stop', 'start', 'restart', 'kill'] as const) {
    await expect(server[verb]()).rejects.toThrow('TEST_DATABASE_URL is not ours');
  }
  await server.close();
});
