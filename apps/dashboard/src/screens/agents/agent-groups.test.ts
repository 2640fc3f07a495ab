import type { AgentSummary } from '@hypercode/client';
import { expect, test } from 'vitest';
import { facetsOf, rowsOf } from './agent-groups.ts';

const agent = (name: string, role: string, labels: Record<string, string> = {}, health = 'healthy') =>
  ({ name, role, labels, capabilities: [{ id: `${role}.do` }], status: { health } }) as unknown as AgentSummary;

const agents = [
  agent('a', 'qa', { zone: 'us' }),
  agent('b', 'coder'),
  agent('c', 'qa', { zone: 'eu' }, 'unhealthy'),
  agent('d', 'coder', { zone: 'us' }),
];

const texts = (by: string | undefined, folded: (string | null)[] = []): string[] =>
  rowsOf(agents, by, new Set(folded)).map((row) =>
    row.kind === 'agent' ? row.agent.name : `${row.name} ${row.count} ${row.unhealthy}`,
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
  expect(facetsOf(agents)).toEqual({
    roles: ['coder', 'qa'],
    capabilities: ['coder.do', 'qa.do'],
    labels: ['zone=eu', 'zone=us'],
    labelKeys: ['zone'],
  });
  const many = Array.from({ length: 300 }, (_, index) => agent(`x${index}`, 'r', { host: String(index) }));
  const { labels } = facetsOf([...many, agent('y', 'r', { host: 'common' }), agent('z', 'r', { host: 'common' })]);
  expect(labels).toHaveLength(200);
  expect(labels).toContain('host=common');
});
