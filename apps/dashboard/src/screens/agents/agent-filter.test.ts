import type { AgentSummary } from '@hypercode/client';
import { expect, test } from 'vitest';
import { atOnce } from '../../swarm/slices.ts';
import { AgentFilterSearch, filtered } from './agent-filter.ts';

const agent = (name: string, fields: Record<string, unknown> = {}, status: Record<string, unknown> = {}) =>
  ({
    name,
    role: 'worker',
    description: null,
    labels: {},
    capabilities: [],
    status: { health: 'healthy', circuit: 'closed', activity: 'ready', note: null, lastSeenAt: null, ...status },
    ...fields,
  }) as unknown as AgentSummary;

const agents = [
  agent('ada', { role: 'planner', description: 'Plans the Week' }),
  agent('bob', { labels: { zone: 'eu' }, capabilities: [{ id: 'translate' }] }, { activity: 'busy' }),
  agent('cy', {}, { health: 'unhealthy', circuit: 'open', note: 'waits for the disk' }),
];

const names = (filter: object): string[] =>
  atOnce(filtered(agents, AgentFilterSearch.parse(filter))).map(({ name }) => name);

test('without a filter all agents are shown, as they were given', () => {
  expect(atOnce(filtered(agents, {}))).toBe(agents);
});

test('each filter leaves the agents that match it, and all filters hold at once', () => {
  expect(names({ role: 'planner' })).toEqual(['ada']);
  expect(names({ capability: 'translate' })).toEqual(['bob']);
  expect(names({ health: 'healthy', activity: 'busy' })).toEqual(['bob']);
  expect(names({ circuit: 'open' })).toEqual(['cy']);
  expect(names({ labels: { zone: 'eu' } })).toEqual(['bob']);
  expect(names({ labels: { zone: 'us' } })).toEqual([]);
});

test('text is found in names, descriptions, labels and notes, whatever its case', () => {
  expect(names({ text: 'week' })).toEqual(['ada']);
  expect(names({ text: 'ZONE=eu' })).toEqual(['bob']);
  expect(names({ text: 'the disk' })).toEqual(['cy']);
});

test('a value that is none of the API is left out', () => {
  expect(AgentFilterSearch.parse({ health: 'great', text: 5, role: 'x' })).toEqual({ role: 'x' });
});

test('sorting by health puts unhealthy agents first, and keeps names in order', () => {
  expect(names({ sort: 'health' })).toEqual(['cy', 'ada', 'bob']);
});
