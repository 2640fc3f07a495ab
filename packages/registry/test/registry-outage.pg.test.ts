// The registry while PostgreSQL is stopped and started: refusals that say so, and watchers that miss nothing.
import { createPostgresSignal, openDatabase, refusalOf } from '@hypercode/stores';
import { type PostgresServer, startPostgres, trackLeaks } from '@hypercode/testkit';
import { describe, expect, it } from 'vitest';
import { ADMIN, codeOf, Replicas, until } from './swarm.ts';

describe('the registry when PostgreSQL goes away', () => {
  let server: PostgresServer;
  const replicas = new Replicas(async () => {
    server = await startPostgres({ own: true, durable: true });
    const { url } = server;
    return {
      async connect() {
        const database = await openDatabase({ url });
        return { database, close: () => database.close() };
      },
      signal: () => createPostgresSignal({ connectionString: url }),
      trackLeaks,
      close: () => server.close(),
    };
  });

  it('refuses with UNAVAILABLE, never with NOT_FOUND, and works again when it is back', async () => {
    const swarm = await replicas.swarm({ leaseMs: 600 });
    const there = swarm.on(await replicas.start());
    const token = await swarm.join('ada');
    const unknown = await swarm.join('eve');
    const agent = await swarm.agent(token);
    const watchers = [swarm.watch(), there.watch(), there.watch({ filter: { role: 'worker' } })];
    for (const watcher of watchers) await watcher.synced();

    await server.stop();
    const calls = [
      ...Array.from({ length: 20 }, (_, i) => swarm.register(`lost-${i}`)),
      swarm.update('ada', { version: '2.0.0' }),
      swarm.update('nobody', { version: '2.0.0' }),
      swarm.deregister('ada'),
      swarm.get('ada'),
      swarm.query(),
      swarm.history('ada'),
      swarm.registry.tokens.create({ namespace: swarm.namespace, kind: 'viewer', name: 'v' }, ADMIN),
      swarm.registry.retention.apply(),
      there.recognise(unknown),
    ];
    expect(new Set(await Promise.all(calls.map(codeOf)))).toEqual(new Set(['UNAVAILABLE']));
    // What is known goes on: tokens count, and beats are kept.
    expect(await swarm.agent(token)).toBe(agent);
    await swarm.registry.heartbeats.renew(agent, undefined);
    await until(() => expect(swarm.replica.errors.length).toBeGreaterThan(2));

    await server.start();
    await until(() => swarm.register('bob'), 20_000);
    await there.update('ada', { version: '2.0.0' });
    for (const watcher of watchers) await watcher.until(({ agents }) => agents.get('ada')?.version === '2.0.0');
    for (const watcher of watchers) expect(watcher.events.filter(({ type }) => type === 'snapshot')).toHaveLength(1);
    expect(await there.recognise(unknown)).toMatchObject({ name: 'eve' });
    const seen = (await swarm.get('ada')).status.lastSeenAt;
    await swarm.registry.heartbeats.renew(agent, undefined);
    await until(async () => expect((await swarm.get('ada')).status.lastSeenAt).not.toBe(seen));
    const complaints = [...swarm.replica.errors, ...there.replica.errors].map((error) => refusalOf(error).code);
    expect(new Set(complaints)).toEqual(new Set(['UNAVAILABLE']));
  });

  it.each([
    ['restarted', () => server.restart()],
    ['killed', () => server.kill().then(() => server.start())],
  ])('keeps what it has acknowledged when it is %s amid writes', async (_, interrupt) => {
    const swarm = await replicas.swarm();
    const there = swarm.on(await replicas.start());
    const watchers = [swarm.watch(), there.watch()];
    for (const watcher of watchers) await watcher.synced();
    const acknowledged: string[] = [];
    const codes = new Set<string>();
    let interrupted = false;
    const writers = [swarm, there].map(async (at, w) => {
      for (let i = 0, after = 0; after < 20; i += 1) {
        const names = [0, 1, 2].map((n) => `agent-${w}-${i}-${n}`);
        const results = await Promise.allSettled(names.map((name) => at.register(name)));
        for (const [n, result] of results.entries()) {
          if (result.status === 'fulfilled') acknowledged.push(names[n] ?? '');
          else codes.add(refusalOf(result.reason).code);
        }
        if (interrupted && results.every(({ status }) => status === 'fulfilled')) after += 1;
      }
    });
    await until(() => expect(acknowledged.length).toBeGreaterThan(30));
    await interrupt();
    interrupted = true;
    await Promise.all(writers);
    expect([...codes]).toEqual(codes.size === 0 ? [] : ['UNAVAILABLE']);
    const head = await swarm.revision();
    const names = await swarm.names();
    expect(names).toEqual(expect.arrayContaining(acknowledged));
    for (const watcher of watchers) {
      await watcher.until(({ position }) => position === head);
      expect([...watcher.agents.keys()].toSorted()).toEqual(names);
      expect(watcher.events.filter(({ type }) => type === 'snapshot')).toHaveLength(1);
    }
  });
});
