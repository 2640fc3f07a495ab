import type { AuditEntry } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { actsOf, AuditFilterSearch } from './audit-acts.ts';

const NOW = Date.parse('2026-01-01T00:10:00.000Z');
const entry = (seq: number, outcome: string, fields: Partial<AuditEntry> = {}) =>
  ({ seq, outcome, begun: null, at: '2026-01-01T00:00:00.000Z', ...fields }) as AuditEntry;

const states = (entries: AuditEntry[]): [number, string][] =>
  actsOf(entries, NOW).map(({ seq, state }) => [seq, state]);

test('the two entries of an act are one act, with its outcome', () => {
  const entries = [
    entry(4, 'CONFLICT', { begun: 2 }),
    entry(3, 'done', { begun: 1 }),
    entry(2, 'begun'),
    entry(1, 'begun'),
  ];
  expect(states(entries)).toEqual([
    [4, 'refused'],
    [3, 'done'],
  ]);
});

test('an act without an outcome is open for a minute, and unknown afterwards', () => {
  const recent = entry(2, 'begun', { at: '2026-01-01T00:09:30.000Z' });
  expect(states([recent, entry(1, 'begun')])).toEqual([
    [2, 'open'],
    [1, 'unknown'],
  ]);
});

test('the address holds a filter and an act, and no other value', () => {
  expect(AuditFilterSearch.parse({ actor: 'admin', action: 'policy.put', seq: 0 })).toEqual({
    actor: 'admin',
    action: 'policy.put',
  });
});
