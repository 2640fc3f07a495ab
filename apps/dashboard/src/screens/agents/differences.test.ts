import { expect, test } from 'vitest';
import { differences } from './differences.ts';

test('fields that changed are given by their paths, and those of every change are left out', () => {
  const before = {
    revision: 1,
    status: { health: 'healthy', lastSeenAt: 'a' },
    labels: { zone: 'eu' },
    version: '1.0.0',
  };
  const after = { revision: 2, status: { health: 'unhealthy', lastSeenAt: 'b' }, labels: {}, version: '1.0.0' };
  expect(differences(before, after)).toEqual([
    { path: 'status.health', from: 'healthy', to: 'unhealthy' },
    { path: 'labels.zone', from: 'eu', to: 'none' },
  ]);
});

test('lists are compared whole, and long values are cut', () => {
  const [change] = differences({ topics: ['a'] }, { topics: Array(100).fill('b') });
  expect(change?.from).toBe('["a"]');
  expect(change?.to).toHaveLength(121);
});
