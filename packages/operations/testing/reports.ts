// What replicas report: themselves, their statistics and their traffic, and what is read of it over all replicas.
import { HeldClock } from '@hypercode/clock/testing';
import { systemClock } from '@hypercode/clock';
import { type Replica } from '@hypercode/contracts';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import type { Operations } from '../src/operations.ts';
import { freshNamespace, type Replicas } from '../test/replicas.ts';

const idsOf = (replicas: readonly Replica[]): string[] => replicas.map(({ id }) => id);
const idOf = (operations: Operations): string => operations.own().replica.id;

/** A clock that a test moves, at a time in the middle of a bucket of ten seconds and of a minute. */
function clockOfNow(): HeldClock {
  const clock = new HeldClock();
  const nowMs = systemClock.epochMs();
  clock.jump(nowMs - (nowMs % 60_000) + 15_000 - clock.epochMs());
  return clock;
}

export function reportsSuite(replicas: Replicas): void {
  describe('reports', () => {
    test('replicas list each other, and one that ends vanishes at once', async () => {
      const one = await replicas.operations();
      const two = await replicas.operations({
        vitals: () => ({ streams: { watch: 1, subscribe: 2, consume: 3 }, suspended: ['here'] }),
      });
      await two.report();
      const { replicas: listed, suspended } = await one.replicas();
      expect(idsOf(listed)).toEqual(expect.arrayContaining([idOf(one), idOf(two)]));
      const seen = listed.find(({ id }) => id === idOf(two));
      expect(seen).toMatchObject({ version: '1.2.3', host: 'here', streams: { watch: 1, subscribe: 2, consume: 3 } });
      expect(seen?.rssBytes).toBeGreaterThan(1_000_000);
      expect(seen?.eventLoopP99Ms).toBeGreaterThanOrEqual(0);
      expect(suspended).toContain('here');
      await two.close();
      expect(idsOf((await one.replicas()).replicas)).not.toContain(idOf(two));
    });

    test('the row of a replica that reports itself no more vanishes within a minute', async () => {
      const one = await replicas.operations();
      const dead = await replicas.operations({ clock: new HeldClock() });
      await dead.report();
      const mine = sql`where id = ${idOf(dead)}`;
      await sql`update replicas set seen_at = now() - interval '59 seconds' ${mine}`.execute(replicas.db);
      expect(idsOf((await one.replicas()).replicas)).toContain(idOf(dead));
      await sql`update replicas set seen_at = now() - interval '61 seconds' ${mine}`.execute(replicas.db);
      expect(idsOf((await one.replicas()).replicas)).not.toContain(idOf(dead));
      await one.report();
      expect((await sql`select from replicas ${mine}`.execute(replicas.db)).rows).toEqual([]);
    });

    test('series are the sums of all replicas, the largest percentile, and null where nothing was counted', async () => {
      const clock = clockOfNow();
      const one = await replicas.operations({ clock });
      const two = await replicas.operations({ clock });
      const namespace = freshNamespace();
      const start = new Date(clock.epochMs() - 5000).toISOString();
      const read = () =>
        one.readSeries({ namespace, metrics: ['published', 'acked', 'publishP99Ms'], since: start, stepMs: 10_000 });
      one.statistics.of(namespace).published += 2;
      two.statistics.of(namespace).published += 3;
      one.statistics.of(namespace).publishing.add(1);
      two.statistics.of(namespace).publishing.add(8);
      await Promise.all([one.report(), two.report()]);
      // The bucket grows, and is written again.
      one.statistics.of(namespace).published += 10;
      await clock.advanceThrough(20_000);
      one.statistics.of(namespace).acked += 1;
      await Promise.all([one.report(), two.report()]);
      expect(await read()).toEqual({
        stepMs: 10_000,
        start,
        series: { published: [15, null, 0], acked: [0, null, 1], publishP99Ms: [8, null, null] },
      });
      const minute = await one.readSeries({ namespace, metrics: ['published'], since: start, stepMs: 60_000 });
      expect(minute.series).toEqual({ published: [15] });
    });

    test('a namespace in which nothing happens has no row, and old rows are deleted', async () => {
      const clock = clockOfNow();
      const one = await replicas.operations({ clock });
      const namespace = freshNamespace();
      one.statistics.of(namespace).published += 1;
      one.traffic.reader(namespace, { kind: 'group', name: 'g' })([{ source: 's', topic: 't' }]);
      await one.report();
      const rows = async (table: string) =>
        (
          await sql<{ bucket: number }>`select bucket from ${sql.table(table)} where namespace = ${namespace}`.execute(
            replicas.db,
          )
        ).rows.length;
      await clock.advanceThrough(60_000);
      await one.report();
      expect([await rows('statistics'), await rows('traffic')]).toEqual([1, 1]);
      for (const table of ['statistics', 'traffic']) {
        await sql`update ${sql.table(table)} set bucket = bucket - 26 * 3600000 where namespace = ${namespace}`.execute(
          replicas.db,
        );
      }
      await one.report();
      expect([await rows('statistics'), await rows('traffic')]).toEqual([0, 0]);
    });

    test('traffic is who received whose events at any replica within the window', async () => {
      const clock = clockOfNow();
      const one = await replicas.operations({ clock });
      const two = await replicas.operations({ clock });
      const namespace = freshNamespace();
      const origins = [
        { source: '/agents/n/a', topic: 'x.y' },
        { source: '/agents/n/a', topic: 'x.y' },
        { source: '/agents/n/b', topic: 'x.z' },
      ];
      for (const name of ['r1', 'r2']) one.traffic.reader(namespace, { kind: 'stream', name })(origins);
      two.traffic.reader(namespace, { kind: 'stream', name: 'r1' })(origins.slice(0, 1));
      await Promise.all([one.report(), two.report()]);
      two.traffic.reader(namespace, { kind: 'group', name: 'crew' })(origins.slice(2));
      await two.report();
      const edge = (source: string, topic: string, kind: 'stream' | 'group', name: string, count: number) => ({
        source,
        topic,
        reader: { kind, name },
        count,
      });
      expect(await one.readTraffic({ namespace, windowMs: 3_600_000 })).toEqual({
        edges: [
          edge('/agents/n/a', 'x.y', 'stream', 'r1', 3),
          edge('/agents/n/a', 'x.y', 'stream', 'r2', 2),
          edge('/agents/n/b', 'x.z', 'group', 'crew', 1),
          edge('/agents/n/b', 'x.z', 'stream', 'r1', 1),
          edge('/agents/n/b', 'x.z', 'stream', 'r2', 1),
        ],
        other: 0,
      });
    });

    test('traffic of many edges has the commonest of each source, and the sum of the rest', async () => {
      const one = await replicas.operations({ clock: clockOfNow() });
      const namespace = freshNamespace();
      for (let index = 0; index < 300; index += 1) {
        one.traffic.reader(namespace, { kind: 'stream', name: `r${index}` })([{ source: 's', topic: 't' }]);
      }
      await one.report();
      const { edges, other } = await one.readTraffic({ namespace, windowMs: 3_600_000 });
      expect([edges.length, other]).toEqual([200, 100]);
    });
  });
}
