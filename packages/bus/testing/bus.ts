// What a bus promises, as tests through its public face: run on PGlite, PostgreSQL and Redis.
import { describeIn, type SuiteScope } from '@hypercode/testkit';
import { describe } from 'vitest';
import { type BusBackend, BusFixture } from './bus/bus-fixture.ts';
import { consumerGroupsSuite } from './bus/consumer-groups.ts';
import { findingSuite } from './bus/finding.ts';
import { groupDeathsSuite } from './bus/group-deaths.ts';
import { groupRightsSuite } from './bus/group-rights.ts';
import { groupSeekingSuite } from './bus/group-seeking.ts';
import { groupSteeringSuite } from './bus/group-steering.ts';
import { policiesSuite } from './bus/policies.ts';
import { publishingSuite } from './bus/publishing.ts';
import { readingSuite } from './bus/reading.ts';
import { subscribingSuite } from './bus/subscribing.ts';
import { tracingSuite } from './bus/tracing.ts';

export type { BusBackend } from './bus/bus-fixture.ts';

/** `openBackend` is called once, for new, empty stores. `scope` is what runs of it, on a backend that repeats another one. */
export function busSuite(openBackend: () => Promise<BusBackend>, scope: SuiteScope = 'whole'): void {
  const describeWhole = describeIn(scope);
  const fixture = new BusFixture(openBackend);
  describe('publishing', () => {
    publishingSuite(fixture);
  });
  describeWhole('subscribing', () => {
    subscribingSuite(fixture);
  });
  describeWhole('reading', () => {
    readingSuite(fixture);
  });
  describe('tracing', () => {
    tracingSuite(fixture);
  });
  describeWhole('finding', () => {
    findingSuite(fixture);
  });
  describeWhole('policies', () => {
    policiesSuite(fixture);
  });
  describe('consumer groups', () => {
    consumerGroupsSuite(fixture);
    describe('and their deaths', () => {
      groupDeathsSuite(fixture);
    });
    describe('belong to somebody', () => {
      groupRightsSuite(fixture);
    });
    describe('under steering', () => {
      groupSteeringSuite(fixture);
    });
    describe('that are sought', () => {
      groupSeekingSuite(fixture);
    });
  });
}
