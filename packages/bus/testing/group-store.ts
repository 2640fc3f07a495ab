// The contract of the GroupStore port, which every driver passes.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describeIn, type SuiteScope } from '@hypercode/testkit';
import { at, closeStores, type Replicas, newNamespace, type OpenStores, rangeOf, ROOMY } from './bus-store.ts';
import { AT_ONCE, type GroupSuite, GroupUnderTest, SETTINGS } from './group-under-test.ts';
import { GroupModel } from './group-model.ts';
import { groupClaiming } from './group-claiming.ts';
import { groupMembers } from './group-members.ts';
import { groupOpenDeliveries } from './group-open-deliveries.ts';
import { groupSettling } from './group-settling.ts';
import { groupDeadLetters } from './group-dead-letters.ts';
import { groupFates } from './group-fates.ts';
import type { BusStore } from '../src/store/bus-store.ts';

/** Runs the contract on the stores that `open` gives. `scope` is what runs of it, on a driver that repeats another one. */
export function groupStoreConformance(name: string, open: OpenStores, scope: SuiteScope = 'whole'): void {
  describe(`${name} as a GroupStore`, () => {
    let stores: Replicas;
    let first: BusStore;
    let second: BusStore;
    let group: GroupUnderTest;

    beforeAll(async () => {
      stores = await open(ROOMY);
      ({ first, second } = stores);
    }, 60_000);
    afterAll(() => closeStores(stores));
    beforeEach(() => {
      group = new GroupUnderTest(first);
    });

    const suite: GroupSuite = {
      open,
      describeWhole: describeIn(scope),
      current: () => ({ stores, first, second, group }),
    };
    groupClaiming(suite);
    groupSettling(suite);
    groupOpenDeliveries(suite);
    groupMembers(suite);
    groupDeadLetters(suite);
    groupFates(suite);

    test('a group that does not exist is not found', async () => {
      const position = (await rangeOf(first.log, group.namespace)).head;
      const refs = [{ position, life: 0, attempt: 1, uncounted: 0 }];
      const { namespace, name: missing } = group;
      const request = { consumer: 'ann', maxInFlight: 1, max: 1, offer: null };
      const calls = [
        first.groups.claim(namespace, missing, request),
        first.groups.ack(namespace, missing, refs),
        first.groups.nack(namespace, missing, refs, AT_ONCE),
        first.groups.giveBack(namespace, missing, refs),
        first.groups.extend(namespace, missing, refs, 1),
        first.groups.deadLetters(namespace, missing, { after: null, limit: 10 }),
        first.groups.redrive(namespace, missing, null),
        first.groups.members(namespace, missing),
        first.groups.openDeliveries(namespace, missing, { after: null, limit: 1 }),
        first.groups.discard(namespace, missing, null),
      ];
      const refusals = await Promise.allSettled(calls);
      expect(refusals).toMatchObject(calls.map(() => ({ status: 'rejected', reason: { code: 'NOT_FOUND' } })));
      expect(await first.groups.list(namespace)).toEqual([]);
    });

    test('groups are listed by name, with their figures', async () => {
      expect(await first.groups.list(group.namespace)).toEqual([]);
      expect(await first.groups.count(group.namespace)).toBe(0);
      const { positions } = await group.withEvents(7, { maxDeliveries: 1 });
      const other = { topics: ['a.*', 'b'], ackDeadlineMs: 1_000, maxDeliveries: 9 };
      const late = await second.groups.open(group.namespace, 'Late', other, 'latest');
      await second.groups.open(group.namespace, 'workers-2', SETTINGS, 'earliest');
      await second.groups.open(newNamespace(), 'elsewhere', SETTINGS, 'earliest');
      const { deliveries } = await group.claim(first, { max: 5 });
      await group.nack(first, deliveries.slice(0, 2));
      await first.groups.redrive(group.namespace, group.name, positions.slice(0, 1));
      const idle = { inFlight: 0, waiting: 0, deadLetters: 0 };
      expect(await second.groups.count(group.namespace)).toBe(3);
      expect(await first.namespaces()).toContain(group.namespace);
      expect(await second.groups.list(group.namespace)).toMatchObject([
        { group: 'Late', ...other, cursor: late.cursor, lag: 0, ...idle },
        {
          ...SETTINGS,
          group: 'workers',
          maxDeliveries: 1,
          cursor: positions[4],
          lag: 2,
          inFlight: 3,
          waiting: 1,
          deadLetters: 1,
        },
        {
          ...SETTINGS,
          group: 'workers-2',
          cursor: { epoch: at(positions, 0).epoch, seq: 0, nonce: 0 },
          lag: 7,
          ...idle,
        },
      ]);
    });

    test('any order of calls leaves the state that the model predicts', { timeout: 60_000 }, async () => {
      await fc.assert(
        fc.asyncProperty(GroupModel.steps, (steps) => GroupModel.run([first, second], steps)),
        { numRuns: 25, plugins: [fc.interruptAfterTimeLimit(30_000)], endOnFailure: true },
      );
    });
  });
}
