// The limits of the registry's inputs, and of operators' tokens.
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import {
  DeregisterInput,
  GetInput,
  HeartbeatInput,
  HistoryInput,
  QueryInput,
  UpdateInput,
  WatchInput,
} from './registry.ts';
import { CreateTokenInput } from './token.ts';

type Case = [string, z.ZodType, object, boolean];

test('inputs of the registry have their defaults', () => {
  expect(QueryInput.parse({})).toEqual({ namespace: 'default', view: 'full', limit: 50 });
  expect(HistoryInput.parse({ name: 'worker' })).toEqual({ namespace: 'default', name: 'worker', limit: 50 });
  expect(WatchInput.parse({})).toEqual({ namespace: 'default', view: 'full' });
  expect(HeartbeatInput.parse({})).toEqual({ namespace: 'default' });
});

describe('limits', () => {
  const join = { kind: 'join', name: 'ci' };
  const cases: Case[] = [
    ['a page of 1', QueryInput, { limit: 1 }, true],
    ['a page of 0', QueryInput, { limit: 0 }, false],
    ['a page of 500', QueryInput, { limit: 500 }, true],
    ['a page of 501', QueryInput, { limit: 501 }, false],
    ['half an agent', QueryInput, { limit: 1.5 }, false],
    ['a page size in a string', QueryInput, { limit: '50' }, false],
    ['words of 256', QueryInput, { text: 't'.repeat(256) }, true],
    ['words of 257', QueryInput, { text: 't'.repeat(257) }, false],
    ['no words', QueryInput, { text: '' }, false],
    ['words with NUL', QueryInput, { text: 'a\0' }, false],
    ['a cursor of 512', QueryInput, { cursor: 'c'.repeat(512) }, true],
    ['a cursor of 513', QueryInput, { cursor: 'c'.repeat(513) }, false],
    ['a topic', QueryInput, { topic: 'a.b' }, true],
    ['a pattern for a topic', QueryInput, { topic: 'a.*' }, false],
    ['a health', QueryInput, { health: 'unhealthy' }, true],
    ['an unknown health', QueryInput, { health: 'sick' }, false],
    ['a circuit', QueryInput, { circuit: 'half_open' }, true],
    ['an unknown circuit', QueryInput, { circuit: 'half-open' }, false],
    ['the capability of a tool', QueryInput, { capability: 'create_pull_request' }, true],
    ['a capability that is none', WatchInput, { capability: 'a b' }, false],
    ['a view', WatchInput, { view: 'summary' }, true],
    ['an unknown view', QueryInput, { view: 'short' }, false],
    ['a role that is no name', QueryInput, { role: 'Crawler' }, false],
    ['labels', QueryInput, { labels: { zone: 'a' } }, true],
    ['labels with a lone surrogate', QueryInput, { labels: { zone: '\ud800' } }, false],
    ['a history of 500', HistoryInput, { name: 'worker', limit: 500 }, true],
    ['a history of 501', HistoryInput, { name: 'worker', limit: 501 }, false],
    ['a revision of 0', WatchInput, { since: 0 }, true],
    ['a revision below 0', WatchInput, { since: -1 }, false],
    ['a revision beyond exact integers', WatchInput, { since: 2 ** 53 }, false],
    ['an agent called "watch"', GetInput, { name: 'watch' }, false],
    ['a reason of 1024', DeregisterInput, { name: 'worker', reason: 'r'.repeat(1024) }, true],
    ['a reason of 1025', DeregisterInput, { name: 'worker', reason: 'r'.repeat(1025) }, false],
    ['an activity', HeartbeatInput, { activity: 'draining' }, true],
    ['an activity that waits', HeartbeatInput, { activity: 'waiting' }, true],
    ['an activity that is blocked', HeartbeatInput, { activity: 'blocked' }, true],
    ['a note of 256', HeartbeatInput, { note: 'n'.repeat(256) }, true],
    ['a note of 257', HeartbeatInput, { note: 'n'.repeat(257) }, false],
    ['a note that is cleared', HeartbeatInput, { note: null }, true],
    ['a note with NUL', HeartbeatInput, { note: 'a\0' }, false],
    ['a note with a lone surrogate', HeartbeatInput, { note: '\ud800' }, false],
    ['an activity to find', QueryInput, { activity: 'waiting' }, true],
    ['an unknown activity to find', QueryInput, { activity: 'asleep' }, false],
    ['an unknown activity', HeartbeatInput, { activity: 'asleep' }, false],
    ['an incarnation that is no uuid', HeartbeatInput, { incarnation: 'x' }, false],
    ['another namespace', GetInput, { name: 'worker', namespace: 'Other' }, false],
    ['a token', CreateTokenInput, join, true],
    ['a token name of 128', CreateTokenInput, { ...join, name: 'n'.repeat(128) }, true],
    ['a token name of 129', CreateTokenInput, { ...join, name: 'n'.repeat(129) }, false],
    ['a token without a name', CreateTokenInput, { ...join, name: '' }, false],
    ['all roles', CreateTokenInput, { ...join, roles: '*' }, true],
    ['64 roles', CreateTokenInput, { ...join, roles: Array.from({ length: 64 }, (_, n) => `r-${n}`) }, true],
    ['65 roles', CreateTokenInput, { ...join, roles: Array.from({ length: 65 }, (_, n) => `r-${n}`) }, false],
    ['no roles at all', CreateTokenInput, { ...join, roles: [] }, false],
    ['uses', CreateTokenInput, { ...join, maxUses: 1 }, true],
    ['no uses', CreateTokenInput, { ...join, maxUses: 0 }, false],
    ['a lifetime', CreateTokenInput, { ...join, expiresInMs: 1 }, true],
    ['no lifetime', CreateTokenInput, { ...join, expiresInMs: 0 }, false],
    ['roles of a viewer', CreateTokenInput, { kind: 'viewer', name: 'ci', roles: '*' }, false],
    ['uses of an admin', CreateTokenInput, { kind: 'admin', name: 'ci', maxUses: 1 }, false],
    ['an agent token by hand', CreateTokenInput, { kind: 'agent', name: 'ci' }, false],
  ];
  test.each(cases)('%s', (_, schema, input, expected) => {
    expect(schema.safeParse(input).success).toBe(expected);
  });
});

describe('update', () => {
  const set = (fields: object) => UpdateInput.safeParse({ name: 'worker', set: fields });

  test('an update sets the given fields and no others', () => {
    expect(set({ labels: { zone: 'a' } }).data?.set).toEqual({ labels: { zone: 'a' } });
    expect(set({}).data?.set).toEqual({});
  });

  test('an update with null clears a description, a health URL and a lease', () => {
    const cleared = { description: null, healthUrl: null, leaseMs: null };
    expect(set(cleared).data?.set).toEqual(cleared);
  });

  test('the schema of an update accepts immutable fields, so that the registry refuses them by name', () => {
    expect(set({ name: 'other', role: 'Other', namespace: '' }).data?.set).toEqual({
      name: 'other',
      role: 'Other',
      namespace: '',
    });
  });

  test('an update has the limits of a registration', () => {
    expect(set({ version: '1' }).success).toBe(false);
    expect(set({ description: 'd'.repeat(4097) }).success).toBe(false);
    expect(set({ labels: { zone: 'v'.repeat(257) } }).success).toBe(false);
    expect(set({ capabilities: ['a', 'a'] }).success).toBe(false);
    expect(set({ leaseMs: 4999 }).success).toBe(false);
  });

  test('an update without a field to set is refused', () => {
    expect(UpdateInput.safeParse({ name: 'worker' }).success).toBe(false);
  });
});
