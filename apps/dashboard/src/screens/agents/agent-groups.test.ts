import type { AgentSummary } from '@hypercode/client';
import { expect, test } from 'vitest';
import { atOnce } from '../../swarm/slices.ts';
import { facetsOf, isGroup, rowsOf } from './agent-groups.ts';

const agent = (name: string, role: string, labels: Record<string, string> = {}, health = 'healthy') =>
  ({ name, role, labels, capabilities: [{ id: `${role}.do` }], status: { health } }) as unknown as AgentSummary;

const agents = [
  agent('a', 'qa', { zone: 'us' }),
  agent('b', 'coder'),
  agent('c', 'qa', { zone: 'eu' }, 'unhealthy'),
  agent('d', 'coder', { zone: 'us' }),
];

const texts = (by: string | undefined, folded: (string | null)[] = []): string[] =>
  atOnce(rowsOf(agents, by, new Set(folded))).map((row) =>
    isGroup(row) ? `${row.group} ${row.count} ${row.unhealthy}` : row.name,
  );

test('without a grouping the rows are the agents', () => {
  expect(texts(undefined)).toEqual(['a', 'b', 'c', 'd']);
});

test('groups come by name, with their agents in order and their counts', () => {
  expect(texts('role')).toEqual(['coder 2 0', 'b', 'd', 'qa 2 1', 'a', 'c']);
  expect(texts('label:zone')).toEqual(['eu 1 1', 'c', 'us 2 0', 'a', 'd', 'null 1 0', 'b']);
});

test('a folded group shows its counts alone', () => {
  expect(texts('role', ['qa'])).toEqual(['coder 2 0', 'b', 'd', 'qa 2 1']);
  expect(texts('label:zone', [null, 'us'])).toEqual(['eu 1 1', 'c', 'us 2 0', 'null 1 0']);
});

test('the choices are what the agents have, and no more than a person looks through', () => {
  expect(atOnce(facetsOf(agents))).toEqual({
    roles: ['coder', 'qa'],
    capabilities: ['coder.do', 'qa.do'],
    labels: ['zone=eu', 'zone=us'],
    labelKeys: ['zone'],
  });
  const many = Array.from({ length: 300 }, (_, index) => agent(`x${index}`, 'r', { host: String(index) }));
  const two = ['y', 'z'].map((name) => agent(name, 'r', { host: 'common' }));
  const { labels } = atOnce(facetsOf([...many, ...two]));
  expect(labels).toHaveLength(200);
  expect(labels).toContain('host=common');
});
