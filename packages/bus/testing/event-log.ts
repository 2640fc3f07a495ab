// The contract of the EventLog port, which every driver passes.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { describeIn, type SuiteScope } from '@hypercode/testkit';
import { closeStores, type OpenStores, type Replicas, ROOMY } from './bus-store.ts';
import { beginningSuite } from './event-log/beginning.ts';
import { deduplicationSuite } from './event-log/deduplication.ts';
import { orderSuite } from './event-log/order.ts';
import { readingSuite } from './event-log/reading.ts';
import { retentionSuite } from './event-log/retention.ts';
import { textsSuite } from './event-log/texts.ts';
import { topicsSuite } from './event-log/topics.ts';

/** Runs the contract on the stores that `open` gives. `scope` is what runs of it, on a driver that repeats another one. */
export function eventLogConformance(name: string, open: OpenStores, scope: SuiteScope = 'whole'): void {
  describe(`${name} as an EventLog`, () => {
    let stores: Replicas;

    beforeAll(async () => {
      stores = await open(ROOMY);
    }, 60_000);
    afterAll(() => closeStores(stores));

    const suite = { replicas: () => stores, open, describeWhole: describeIn(scope) };
    beginningSuite(suite);
    orderSuite(suite);
    textsSuite(suite);
    deduplicationSuite(suite);
    readingSuite(suite);
    retentionSuite(suite);
    topicsSuite(suite);

    test('the store reports that it answers', async () => {
      await expect(stores.first.check()).resolves.toSatisfy(
        (warning: string | null) => warning === null || warning.length > 0,
      );
    });
  });
}
