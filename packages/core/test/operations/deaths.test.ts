// Events of groups that died, as they become known on a whole core: on the log, in the statistics, and with the group.
import { ClaimResult, GroupDeadData, GroupsResult, ReadResult, StatsSeries } from '@hypercode/contracts';
import { beforeAll, expect, test, vi } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const until = <T>(condition: () => Promise<T>) => vi.waitFor(condition, { timeout: 30_000, interval: 50 });

test(
  'an event that died of a refusal, and one that died of its deadline, are reported and counted',
  { timeout: 60_000 },
  async () => {
    const namespace = core.freshNamespace();
    const post = async (path: string, json: unknown): Promise<unknown> => {
      const answer = await core.fetch(path, { method: 'POST', namespace, json });
      expect(answer.ok).toBe(true);
      return answer.json();
    };
    const get = async (path: string): Promise<unknown> => (await core.fetch(path, { namespace })).json();
    const settings = { topics: ['work.*'], from: 'earliest', ackDeadlineMs: 1000, maxDeliveries: 1, max: 2 };
    const claim = async () => ClaimResult.parse(await post('/v1/groups/crew/claim', settings)).deliveries;
    await post(
      '/v1/events',
      [1, 2].map((data) => ({ topic: 'work.new', data })),
    );
    const [delivery] = await claim();
    await post('/v1/groups/crew/nack', { deliveryIds: [delivery?.deliveryId], reason: 'broken' });
    const reports = await until(async () => {
      const groups = GroupsResult.parse(await get('/v1/groups')).groups;
      expect(groups).toMatchObject([{ deadLetters: 2 }]);
      // A deadline is noticed by the next call about the group.
      await claim();
      const { events } = ReadResult.parse(await get('/v1/events?topics=system.group.dead'));
      const found = events.map(({ event }) => GroupDeadData.parse(event.data));
      expect(found.reduce((sum, { count }) => sum + count, 0)).toBe(2);
      expect(events.map(({ event }) => [event.source, event.subject])).toEqual(found.map(() => ['/core', 'crew']));
      return found;
    });
    const reasons = reports.flatMap((report) => report.reasons).toSorted((a, b) => (a.reason < b.reason ? -1 : 1));
    expect(reasons).toEqual([
      { reason: 'broken', count: 1 },
      { reason: 'deadline', count: 1 },
    ]);
    const [group] = GroupsResult.parse(await get('/v1/groups')).groups;
    expect(group).toMatchObject({ deadByReason: reasons, members: 1 });
    await until(async () => {
      const { series } = StatsSeries.parse(await get('/v1/stats?metrics=dead'));
      expect((series.dead ?? []).reduce((sum: number, count) => sum + (count ?? 0), 0)).toBe(2);
    });
  },
);
