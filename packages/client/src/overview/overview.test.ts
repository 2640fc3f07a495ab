import type { GroupInfo, Overview } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { applyOverview } from './overview.ts';

const at = '2026-01-01T00:00:00.000Z';
const cluster = { replicas: [], stores: {}, suspended: [] } as unknown as NonNullable<Overview['cluster']>;
const namespace = { namespace: 'default', groups: 2 } as NonNullable<Overview['namespace']>;
const group = (name: string, lag: number) => ({ group: name, lag }) as GroupInfo;
const value = (fields: Partial<Overview>): Overview => ({ type: 'overview', reset: false, at, ...fields });
const whole = value({
  reset: true,
  groups: [group('b', 1), group('a', 2)],
  cluster,
  namespace,
  questions: { open: 3 },
});

test('a change replaces the groups that it names and leaves the others', () => {
  const before = applyOverview(null, whole);
  const after = applyOverview(before, value({ groups: [group('b', 5), group('c', 0)], removedGroups: ['a'] }));
  expect(after?.groups).toEqual([group('b', 5), group('c', 0)]);
  expect(after?.questions).toEqual({ open: 3 });
});

test('what comes with reset replaces everything', () => {
  const before = applyOverview(null, whole);
  const after = applyOverview(before, value({ reset: true, groups: [], cluster, namespace }));
  expect(after).toEqual({ groups: [], cluster, namespace, questions: { open: 0 }, at });
});

test('groups that did not change are the same list', () => {
  const before = applyOverview(null, whole);
  expect(applyOverview(before, value({ questions: { open: 4 } }))?.groups).toBe(before?.groups);
});

test('a change before the whole state gives no state', () => {
  expect(applyOverview(null, value({ groups: [group('a', 1)] }))).toBeNull();
});
