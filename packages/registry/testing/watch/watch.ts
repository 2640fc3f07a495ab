// The live watch, on every store: the snapshot, what follows it, and what a filter lets through.
import { SNAPSHOT_ID } from '@hypercode/contracts';
import { describe, expect, it } from 'vitest';
import { codeOf, type Replicas, type Swarm, until } from '../../test/swarm.ts';
import type { WatchRequest } from '../../src/watch/watches.ts';

/** What one pull of a watch with this cursor comes to. */
async function firstBatch(swarm: Swarm, cursor: WatchRequest['cursor']) {
  const ending = new AbortController();
  const watch = swarm.registry.watches.open(
    { namespace: swarm.namespace, filter: {}, view: 'full', cursor },
    ending.signal,
  );
  try {
    return (await watch.next()).value;
  } finally {
    ending.abort();
    await watch.return();
  }
}

export function watchSuite(replicas: Replicas): void {
  describe('a watch', () => {
    it('begins with a snapshot, empty if need be, and receives `synced` after it', async () => {
      const swarm = await replicas.swarm();
      const empty = swarm.watch();
      await empty.synced();
      expect(empty.items.map(({ id, event }) => ({ id, event }))).toEqual([
        { id: 'snapshot', event: { type: 'snapshot', revision: 0, agents: [], reset: false } },
        { id: '0', event: { type: 'synced', revision: 0 } },
      ]);
      const { agent } = await swarm.register('ada');
      const late = swarm.watch();
      await late.synced();
      expect(late.items.map(({ id, event }) => ({ id, event }))).toEqual([
        { id: 'snapshot', event: { type: 'snapshot', revision: 1, agents: [agent], reset: false } },
        { id: '1', event: { type: 'synced', revision: 1 } },
      ]);
    });

    it('receives every change in its order, as the call that made it was answered', async () => {
      const swarm = await replicas.swarm();
      const watcher = swarm.watch();
      await watcher.synced();
      const token = await swarm.join('ada');
      const updated = await swarm.update('ada', { version: '2.0.0' });
      await swarm.registry.heartbeats.renew(await swarm.agent(token), { activity: 'busy' });
      const removed = await swarm.deregister('ada', 'done');
      await watcher.receives('synced', 'registered ada', 'updated ada', 'status ada', 'deregistered ada');
      const [, second, third, fourth] = watcher.changes;
      expect(second).toMatchObject({ revision: 2, agent: updated, at: updated.updatedAt });
      expect(third).toMatchObject({ agent: { status: { activity: 'busy' } } });
      expect(fourth).toMatchObject({ agent: removed });
    });

    it('has the same values on every replica, and when it is resumed', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      const here = swarm.watch();
      const elsewhere = there.watch();
      await Promise.all([here.synced(), elsewhere.synced()]);
      await swarm.register('ada', { capabilities: ['plan'], labels: { b: '1', a: '2' }, description: 'x' });
      await there.register('eve');
      await Promise.all([swarm.update('ada', { labels: {} }), there.deregister('eve')]);
      for (const watcher of [here, elsewhere]) await watcher.until(({ position }) => position === 4);
      expect(elsewhere.changes).toEqual(here.changes);
      const fresh = swarm.on(await replicas.start());
      expect(await fresh.changesSince(0)).toEqual(here.changes);
    });

    it('gets a large snapshot in chunks of at most 500, at one revision', async () => {
      const swarm = await replicas.swarm();
      const names = Array.from({ length: 1200 }, (_, i) => `agent-${String(i).padStart(4, '0')}`);
      await Promise.all(names.map((name) => swarm.register(name)));
      const watcher = swarm.watch();
      await watcher.synced();
      const chunks = watcher.events.filter((event) => event.type === 'snapshot');
      expect(chunks.map(({ agents }) => agents.length)).toEqual([500, 500, 200]);
      expect(chunks.map(({ revision }) => revision)).toEqual([1200, 1200, 1200]);
      expect(chunks.flatMap(({ agents }) => agents.map(({ name }) => name))).toEqual(names);
      expect(watcher.items.slice(0, 3).map(({ id }) => id)).toEqual([SNAPSHOT_ID, SNAPSHOT_ID, SNAPSHOT_ID]);
    });

    it('misses nothing that happens while the snapshot is read', async () => {
      const swarm = await replicas.swarm();
      await Promise.all(Array.from({ length: 600 }, (_, i) => swarm.register(`old-${i}`)));
      const writing = Promise.all(
        Array.from({ length: 20 }, async (_, i) => {
          await swarm.register(`new-${i}`);
          await swarm.deregister(`old-${i}`);
        }),
      );
      const watchers = Array.from({ length: 10 }, () => swarm.watch());
      await writing;
      const head = await swarm.revision();
      for (const watcher of watchers) await watcher.until(({ position }) => position >= head);
      const names = await swarm.names();
      for (const { agents } of watchers) expect([...agents.keys()].toSorted()).toEqual(names);
    });

    it('receives a bookmark now and then when it receives no change', async () => {
      const swarm = await replicas.swarm({ bookmarkIntervalMs: 30 });
      const watcher = swarm.watch({ filter: { role: 'boss' } });
      await watcher.receives('synced', 'bookmark', 'bookmark');
      expect(watcher.lastId).toBe('0');
      await swarm.register('ada');
      await watcher.until(({ lastId }) => lastId === '1');
      expect(watcher.events.at(-1)).toEqual({ type: 'bookmark', revision: 1 });
    });

    it('goes on after its cursor', async () => {
      const swarm = await replicas.swarm();
      for (const name of ['a', 'b', 'c']) await swarm.register(name);
      for (const cursor of [1, '1', '01']) {
        const watcher = swarm.watch({ cursor });
        await watcher.receives('registered b', 'registered c', 'synced');
        expect(watcher.items).toHaveLength(3);
      }
      const head = swarm.watch({ cursor: '3' });
      await head.synced();
      expect(head.items).toEqual([{ id: '3', event: { type: 'synced', revision: 3 } }]);
      await swarm.register('d');
      await head.receives('synced', 'registered d');
    });

    it('begins with a reset where its cursor cannot be resumed', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada');
      for (const cursor of [SNAPSHOT_ID, '2', 7, Number.MAX_SAFE_INTEGER, -1]) {
        const watcher = swarm.watch({ cursor });
        await watcher.synced();
        expect(watcher.received).toEqual(['reset ada', 'synced']);
        await watcher.stop();
      }
      expect(await firstBatch(swarm, '')).toMatchObject([{ event: { type: 'snapshot', reset: false } }]);
    });

    it('refuses a cursor that no watch has returned', async () => {
      const swarm = await replicas.swarm();
      const digits = [16, 17].map((count) => '9'.repeat(count));
      for (const cursor of ['latest', '-1', '1.5', '1e3', ' 1', '0x1', '1; drop table', ...digits, 1.5, Number.NaN]) {
        await expect(firstBatch(swarm, cursor)).rejects.toMatchObject({
          code: 'INVALID_INPUT',
          details: [{ path: 'lastEventId', reason: expect.any(String) as string }],
        });
      }
    });

    it('receives no change of other namespaces', async () => {
      const here = await replicas.swarm();
      const there = await replicas.swarm();
      const watcher = here.watch();
      await watcher.synced();
      await there.register('ada');
      await here.register('eve');
      await watcher.receives('synced', 'registered eve');
    });

    it('ends when its signal aborts, with the refusal if that is the reason, and is counted while it is open', async () => {
      const swarm = await replicas.swarm();
      const ending = new AbortController();
      const watch = swarm.registry.watches.open(
        { namespace: swarm.namespace, filter: {}, view: 'full', cursor: 0 },
        ending.signal,
      );
      await watch.next();
      expect(swarm.registry.watches.size).toBe(1);
      const waiting = watch.next();
      ending.abort();
      expect(await waiting).toEqual({ done: true, value: undefined });
      const token = await swarm.join('ada');
      const identity = await swarm.registry.identities.recognise(token);
      const over = new AbortController();
      identity.onEnd((refusal) => over.abort(refusal));
      const refused = swarm.registry.watches.open(
        { namespace: swarm.namespace, filter: {}, view: 'full', cursor: 1 },
        over.signal,
      );
      await refused.next();
      const pending = refused.next().then(() => refused.next());
      await swarm.deregister('ada');
      expect(await codeOf(pending)).toBe('UNAUTHENTICATED');
      expect(swarm.registry.watches.size).toBe(0);
    });

    it('ends with UNAVAILABLE when the replica shuts down, after every change', async () => {
      const swarm = await replicas.swarm();
      const watcher = swarm.watch();
      await watcher.synced();
      const registering = Promise.all(Array.from({ length: 50 }, (_, i) => swarm.register(`agent-${i}`)));
      await swarm.replica.close();
      await registering;
      await until(() => expect(watcher.failure).toMatchObject({ code: 'UNAVAILABLE' }));
      expect(watcher.changes).toHaveLength(50);
    });
  });

  describe('a filtered watch', () => {
    it('receives an agent that begins to match as updated, and one that stops as left', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { labels: { team: 'a' } });
      const watcher = swarm.watch({ filter: { labels: { team: 'b' } } });
      await watcher.receives('snapshot', 'synced');
      await swarm.register('eve', { labels: { team: 'a' } });
      await swarm.update('ada', { labels: { team: 'b' } });
      await swarm.update('ada', { version: '2.0.0' });
      const left = await swarm.update('ada', { labels: {} });
      await swarm.deregister('ada');
      await swarm.register('bob', { labels: { team: 'b' } });
      await swarm.deregister('bob');
      const received = ['updated ada', 'updated ada', 'left ada', 'registered bob', 'deregistered bob'];
      await watcher.receives('synced', ...received);
      expect(watcher.changes.map(({ revision }) => revision)).toEqual([3, 4, 5, 7, 8]);
      expect(watcher.changes[2]?.agent).toEqual(left);
      // A watcher that resumes receives the same, from the ring and from the log.
      for (const there of [swarm, swarm.on(await replicas.start())]) {
        const resumed = there.watch({ filter: { labels: { team: 'b' } }, cursor: '2' });
        await resumed.receives(...received, 'synced');
        const amid = there.watch({ filter: { labels: { team: 'b' } }, cursor: '4' });
        await amid.receives('left ada', 'registered bob', 'deregistered bob', 'synced');
      }
    });

    it('begins with the agents that match', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { capabilities: ['plan'], topics: { publishes: ['plan.*'] } });
      await swarm.register('bob', { capabilities: ['plan'] });
      await swarm.register('eve', { topics: { subscribes: ['plan.>'] } });
      const received = async (filter: object) => {
        const watcher = swarm.watch({ filter });
        await watcher.synced();
        return watcher.received[0];
      };
      expect(await received({ capability: 'plan' })).toBe('snapshot ada bob');
      expect(await received({ topic: 'plan.done' })).toBe('snapshot ada eve');
      expect(await received({ topic: 'plan.a.b' })).toBe('snapshot eve');
      expect(await received({ capability: 'plan', topic: 'plan.done' })).toBe('snapshot ada');
      expect(await received({ role: 'boss' })).toBe('snapshot');
    });

    it('mirrors what its query answers, whatever happens', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      const filtersToTry = [
        {},
        { labels: { team: 'a' } },
        { capability: 'plan' },
        { topic: 'a.b', labels: { team: 'b' } },
      ];
      const watchers = filtersToTry.map((filter, i) => (i % 2 === 0 ? swarm : there).watch({ filter }));
      const teams = ['a', 'b', 'c'];
      for (let i = 0; i < 120; i += 1) {
        const name = `agent-${(i * 7) % 9}`;
        const fields = {
          labels: { team: teams[(i * 5) % 3] ?? '' },
          capabilities: (i * 3) % 2 === 0 ? ['plan'] : [],
          topics: { publishes: [i % 4 < 2 ? 'a.*' : 'b'] },
        };
        const at = i % 2 === 0 ? swarm : there;
        if (i % 11 === 10) await at.deregister(name).catch(() => undefined);
        else await at.register(name, fields);
      }
      const head = await swarm.revision();
      const marker = await swarm.register('marker', {
        labels: { team: 'b' },
        capabilities: ['plan'],
        topics: { publishes: ['>'] },
      });
      const tail = await swarm.update('marker', { labels: { team: 'a' } });
      expect([marker.agent.revision, tail.revision]).toEqual([head + 1, head + 2]);
      for (const [i, watcher] of watchers.entries()) {
        await watcher.until(({ position }) => position > head);
        const expected = await swarm.names(filtersToTry[i]);
        await until(() => expect([...watcher.agents.keys()].toSorted()).toEqual(expected));
      }
    });
  });

  it('shares one value among all watchers that receive the same', async () => {
    const swarm = await replicas.swarm();
    const watchers = Array.from({ length: 20 }, (_, i) =>
      swarm.watch(i % 2 === 0 ? {} : { filter: { role: 'worker' } }),
    );
    for (const watcher of watchers) await watcher.synced();
    await swarm.register('ada');
    for (const watcher of watchers) await watcher.receives('registered ada');
    expect(new Set(watchers.map(({ items }) => items.at(-1))).size).toBe(1);
  });
}
