// What replicas report of their streams: only what changed, and gone with the replica.
import { HeldClock } from '@hypercode/clock/testing';
import type { StreamReport } from '@hypercode/contracts';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { freshNamespace, type Replicas } from '../test/replicas.ts';

const report = (cursor: string, streams = 1): StreamReport => ({
  audiences: [
    {
      kind: 'agent',
      role: 'worker',
      topics: ['a.>'],
      streams,
      callers: [{ caller: '/agents/here/ada', since: 'log-1-1', cursor }],
    },
  ],
  omitted: 2,
});

export function streamsSuite(replicas: Replicas): void {
  describe('streams', () => {
    const started = async () => {
      const namespace = freshNamespace();
      const open = new Map([[namespace, report('log-2-2')]]);
      const clock = new HeldClock();
      const one = await replicas.operations({ clock, streams: () => open });
      const two = await replicas.operations({ clock });
      await one.report();
      return { namespace, open, clock, one, two };
    };
    const rowsOf = async (namespace: string) =>
      (
        await sql<{
          row: string;
        }>`select xmin::text as row from replica_streams where namespace = ${namespace}`.execute(replicas.db)
      ).rows;

    test('a replica reads what the others have reported, and not what it reports itself', async () => {
      const { namespace, one, two } = await started();
      const { id } = one.own().replica;
      expect(await two.otherStreams(namespace)).toEqual([
        { ...report('log-2-2'), replica: id, asOf: expect.stringMatching(/^\d{4}-.*Z$/) },
      ]);
      expect(await one.otherStreams(namespace)).toEqual([]);
      expect(await two.otherStreams(freshNamespace())).toEqual([]);
    });

    test('what has changed is written with the next report, and nothing when nothing has', async () => {
      const { namespace, open, clock, one, two } = await started();
      const written = await rowsOf(namespace);
      await one.report();
      expect(await rowsOf(namespace)).toEqual(written);
      open.set(namespace, report('log-3-3', 4));
      await one.report();
      await clock.advanceThrough(1000);
      expect(await two.otherStreams(namespace)).toMatchObject([report('log-3-3', 4)]);
      open.delete(namespace);
      await one.report();
      expect(await rowsOf(namespace)).toEqual([]);
    });

    test('an answer is given again for a second', async () => {
      const { namespace, open, clock, one, two } = await started();
      await two.otherStreams(namespace);
      open.set(namespace, report('log-9-9'));
      await one.report();
      expect(await two.otherStreams(namespace)).toMatchObject([report('log-2-2')]);
      await clock.advanceThrough(1000);
      expect(await two.otherStreams(namespace)).toMatchObject([report('log-9-9')]);
    });

    test('the streams of a replica that ends, or reports itself no more, are gone', async () => {
      const { namespace, clock, one, two } = await started();
      const { id } = one.own().replica;
      await sql`update replicas set seen_at = now() - interval '17 seconds' where id = ${id}`.execute(replicas.db);
      expect(await two.otherStreams(namespace)).toEqual([]);
      await one.report();
      await clock.advanceThrough(1000);
      expect(await two.otherStreams(namespace)).toHaveLength(1);
      await one.close();
      expect(await rowsOf(namespace)).toEqual([]);
    });

    test('a replica whose rows were deleted while it was stopped reports everything again', async () => {
      const { namespace, clock, one, two } = await started();
      const { id } = one.own().replica;
      await sql`update replicas set seen_at = now() - interval '61 seconds' where id = ${id}`.execute(replicas.db);
      await two.report();
      await two.report();
      expect(await rowsOf(namespace)).toEqual([]);
      clock.advance(61_000);
      await one.report();
      expect(await rowsOf(namespace)).toHaveLength(1);
    });

    test('a report that this release can not read is left out', async () => {
      const { namespace, one, two } = await started();
      await sql`update replica_streams set report = '{"audiences": 7}' where replica = ${one.own().replica.id}`.execute(
        replicas.db,
      );
      expect(await two.otherStreams(namespace)).toEqual([]);
    });
  });
}
