// The end of a registry, on every store: everything that was submitted is settled, and nothing is left running.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { ADMIN, type Replicas, until } from '../test/swarm.ts';

export function lifecycleSuite(replicas: Replicas): void {
  describe('closing', () => {
    it('settles what was submitted', async () => {
      const swarm = await replicas.swarm();
      const reader = swarm.on(await replicas.start());
      const submitted = Array.from({ length: 400 }, (_, i) =>
        swarm.register(`agent-${i % 200}`, { version: `1.${i}.0` }),
      );
      submitted.push(swarm.register('agent-0', { role: 'boss' }));
      const closing = swarm.replica.close();
      const settled = await Promise.allSettled(submitted);
      await closing;
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(400);
      expect(settled.at(-1)).toMatchObject({ reason: { code: 'IMMUTABLE_FIELD' } });
      expect(await reader.revision()).toBe(400);
    });

    it('leaves no timer, socket or listener', async () => {
      const leaks = replicas.store.trackLeaks();
      const swarm = await replicas.swarm({ bookmarkIntervalMs: 20, leaseMs: 60 });
      const watchers = [swarm.watch(), swarm.watch({ filter: { role: 'boss' } })];
      for (const watcher of watchers) await watcher.synced();
      const agent = await swarm.agent(await swarm.join('ada'));
      await swarm.registry.heartbeats.renew(agent, { activity: 'busy' });
      await swarm.recognise(
        (await swarm.registry.tokens.create({ namespace: swarm.namespace, kind: 'viewer', name: 'v' }, ADMIN)).token,
      );
      await swarm.registry.retention.apply();
      // Some that wait for their snapshots when the registry goes.
      const { kysely } = swarm.replica.database;
      const locked = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      const lock = kysely.transaction().execute(async (transaction) => {
        await sql`lock table agents in access exclusive mode`.execute(transaction);
        locked.resolve();
        await release.promise;
      });
      await locked.promise;
      const late = ['a', 'b', 'c'].map((role) => swarm.watch({ filter: { role } }));
      const closing = swarm.registry.close();
      release.resolve();
      await Promise.all([lock, closing]);
      for (const watcher of late) await until(() => expect(watcher.received[0]).toBe('snapshot'));
      for (const watcher of [...watchers, ...late]) await watcher.stop();
      await swarm.replica.disconnect();
      // Less than what would end by itself within a second.
      await leaks.check(500);
    });
  });
}
