// A watch through everything that interrupts it, on every store: lost wake-ups, slow readers, compaction, lost changes.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { type Replica, type Replicas, type Swarm, until } from '../../test/swarm.ts';

/** Makes the store forget the changes after `revision`, as a restored backup does. */
async function goBack({ namespace, replica }: Swarm, revision: number): Promise<void> {
  await replica.database.kysely.transaction().execute(async (transaction) => {
    await sql`delete from changes where namespace = ${namespace} and revision > ${revision}`.execute(transaction);
    await sql`delete from agents where namespace = ${namespace} and revision > ${revision}`.execute(transaction);
    await sql`update namespaces set revision = ${revision} where namespace = ${namespace}`.execute(transaction);
  });
}

/** Makes more changes than the 16 MiB that a replica keeps in memory; gives the revision after them. */
async function overflow(swarm: Swarm): Promise<number> {
  const inputSchema = { description: 'x'.repeat(60_000) };
  for (let round = 0; round < 16; round += 1) {
    const labels = { team: round % 2 === 0 ? 'a' : 'b' };
    const fields = { labels, capabilities: [{ id: 'large', inputSchema }] };
    await Promise.all(Array.from({ length: 10 }, (_, i) => swarm.register(`agent-${i}`, fields)));
  }
  return swarm.revision();
}

const housekeepingReplica = (replicas: Replicas, maxChanges: number): Promise<Replica> =>
  replicas.start({ retention: { maxChanges, maxAgeMs: 86_400_000 } });

export function resumeSuite(replicas: Replicas): void {
  describe('between replicas', () => {
    it('changes arrive with the signal, and without it by the poll', async () => {
      const swarm = await replicas.swarm();
      const there = [swarm.on(await replicas.start()), swarm.on(await replicas.start({ deaf: true }))];
      const watchers = there.map((at) => at.watch());
      for (const watcher of watchers) await watcher.synced();
      for (let i = 0; i < 3; i += 1) {
        await swarm.register(`ada-${i}`);
        for (const watcher of watchers) await watcher.receives(`registered ada-${i}`);
      }
      expect(there.flatMap(({ replica }) => replica.errors)).toEqual([]);
    });

    it('a watcher moves with its cursor', async () => {
      const swarm = await replicas.swarm();
      const linked = swarm.on(await replicas.start());
      const deaf = swarm.on(await replicas.start({ deaf: true }));
      const received: string[] = [];
      let cursor: string | undefined;
      for (let i = 0; i < 9; i += 1) {
        await (i % 2 === 0 ? linked : deaf).register(`agent-${i}`);
        const at = i % 3 === 0 ? swarm : i % 3 === 1 ? linked : deaf;
        const watcher = at.watch(cursor === undefined ? {} : { cursor });
        await watcher.until(({ received: all }) => all.some((line) => line.endsWith(`agent-${i}`)));
        await watcher.synced();
        received.push(...watcher.changes.map(({ revision }) => String(revision)));
        cursor = watcher.lastId;
        await watcher.stop();
      }
      expect(received).toEqual(['2', '3', '4', '5', '6', '7', '8', '9']);
    });
  });

  describe('a slow watcher', () => {
    it('receives every change when it reads on, also those that are no longer in memory', async () => {
      const swarm = await replicas.swarm();
      const watchers = [swarm.watch(), swarm.watch({ filter: { labels: { team: 'a' } } })];
      const quick = swarm.watch();
      for (const watcher of [...watchers, quick]) await watcher.synced();
      for (const watcher of watchers) watcher.pause();
      const head = await overflow(swarm);
      await quick.until(({ position }) => position === head);
      for (const watcher of watchers) expect(watcher.changes.length).toBeLessThan(head / 2);
      for (const watcher of watchers) watcher.resume();
      await swarm.register('last', { labels: { team: 'a' } });
      for (const watcher of watchers) await watcher.until(({ position }) => position === head + 1);
      const [all, filtered] = watchers;
      expect(all?.changes).toEqual(quick.changes);
      expect(filtered?.changes.filter(({ change }) => change === 'left')).toHaveLength(head / 2);
      expect([...(filtered?.agents.keys() ?? [])]).toEqual(['last']);
    });

    it('whose cursor is before the horizon gets a reset', async () => {
      const swarm = await replicas.swarm();
      const keeper = await housekeepingReplica(replicas, 10);
      await swarm.register('ada');
      const watcher = swarm.watch();
      await watcher.synced();
      watcher.pause();
      await overflow(swarm);
      await swarm.deregister('ada');
      await keeper.registry.retention.apply();
      watcher.resume();
      await watcher.until(({ received }) => received.filter((line) => line === 'synced').length === 2);
      const resets = watcher.events.filter((event) => event.type === 'snapshot' && event.reset);
      expect(new Set(resets.map(({ revision }) => revision)).size).toBe(1);
      expect([...watcher.agents.keys()]).toEqual(await swarm.names());
    });
  });

  describe('compaction', () => {
    it('keeps as many changes as it should, and the horizon is where a watch can still resume', async () => {
      const swarm = await replicas.swarm();
      const keeper = await housekeepingReplica(replicas, 4);
      for (let i = 1; i <= 10; i += 1) await swarm.register(`agent-${i}`);
      await keeper.registry.retention.apply();
      // One that knows the changes from memory, and one that never saw them.
      for (const there of [swarm, swarm.on(await replicas.start())]) {
        const horizon = there.watch({ cursor: 6 });
        await horizon.synced();
        expect(horizon.received).toEqual([
          'registered agent-7',
          'registered agent-8',
          'registered agent-9',
          'registered agent-10',
          'synced',
        ]);
        for (const cursor of [5, '1', 0]) {
          const behind = there.watch({ cursor });
          await behind.synced();
          expect(behind.events[0]).toMatchObject({ type: 'snapshot', reset: true, revision: 10 });
          expect(behind.agents.size).toBe(10);
        }
      }
      await swarm.register('agent-11');
      await keeper.registry.retention.apply();
      const later = swarm.watch({ cursor: 6 });
      await later.synced();
      expect(later.events[0]).toMatchObject({ type: 'snapshot', reset: true });
    });

    it('drops what is too old, however few changes there are', async () => {
      const swarm = await replicas.swarm();
      for (const name of ['a', 'b', 'c']) await swarm.register(name);
      await sql`update changes set at = at - interval '2 days' where namespace = ${swarm.namespace} and revision <= 2`.execute(
        swarm.replica.database.kysely,
      );
      await swarm.registry.retention.apply();
      const kept = swarm.watch({ cursor: 2 });
      await kept.synced();
      expect(kept.received).toEqual(['registered c', 'synced']);
      const behind = swarm.watch({ cursor: 1 });
      await behind.synced();
      expect(behind.received).toEqual(['reset a b c', 'synced']);
    });

    it('of all changes leaves the newest cursor valid', async () => {
      const swarm = await replicas.swarm();
      const keeper = await housekeepingReplica(replicas, 0);
      await swarm.register('ada');
      const watcher = swarm.watch();
      await watcher.synced();
      await keeper.registry.retention.apply();
      const resumed = swarm.on(await replicas.start()).watch({ cursor: watcher.lastId });
      await resumed.receives('synced');
      await swarm.register('eve');
      for (const each of [watcher, resumed]) await each.receives('synced', 'registered eve');
      expect(resumed.items).toHaveLength(2);
    });
  });

  describe('a store that went back in time', () => {
    it('resets its watchers, and they mirror it again', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      for (const name of ['a', 'b', 'c', 'd']) await swarm.register(name);
      const watchers = [swarm.watch(), there.watch(), swarm.watch({ filter: { role: 'worker' } })];
      for (const watcher of watchers) await watcher.synced();
      await goBack(swarm, 2);
      for (const watcher of watchers) {
        await watcher.until(({ received }) => received.includes('reset a b'));
        await watcher.receives('reset a b', 'synced');
      }
      await there.register('e');
      for (const watcher of watchers) await watcher.receives('reset a b', 'synced', 'registered e');
      const late = swarm.watch({ cursor: 4 });
      await late.receives('reset a b e', 'synced');
    });

    it('makes replicas look tokens up again', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada');
      const token = await swarm.join('eve');
      const identity = await swarm.registry.identities.recognise(token);
      await goBack(swarm, 1);
      await until(() => expect(identity.refusal).toMatchObject({ code: 'UNAVAILABLE' }));
      await expect(swarm.recognise(token)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    });
  });
}
