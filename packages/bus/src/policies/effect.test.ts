import type { PolicyRules, RolePolicy } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import { Comparison, type DeclaredAgent } from './effect.ts';
import type { OpenStream } from './open-streams.ts';

const NOTHING: RolePolicy = { publish: [], subscribe: [] };
const ALL: RolePolicy = { publish: ['>'], subscribe: ['>'], consume: ['*'] };
const rules = (roles: PolicyRules['roles'], others: RolePolicy = NOTHING): PolicyRules => ({ roles, default: others });
const worker: DeclaredAgent = {
  name: 'ada',
  role: 'worker',
  topics: { publishes: ['task.ada.>', 'log.*'], subscribes: ['task.ada.assigned'] },
  capabilities: [{ id: 'code-review' }, { id: 'build' }],
};
const stream = (fields: Partial<OpenStream> = {}): OpenStream => ({
  name: 'ada',
  role: 'worker',
  kind: 'subscribe',
  topics: ['task.ada.assigned'],
  group: null,
  ...fields,
});
const agentsLost = (before: PolicyRules, after: PolicyRules, agents = [worker]) => {
  const comparison = new Comparison(before, after);
  comparison.addAgents(agents);
  return comparison.effect(true).agents;
};
const streamsLost = (after: PolicyRules, ...streams: OpenStream[]) => {
  const comparison = new Comparison(rules({ worker: ALL }), after);
  comparison.addStreams(streams);
  return comparison.effect(true).streams;
};

describe('agents', () => {
  test('an agent loses the declared topics that only the old policy allows', () => {
    const after = rules({ worker: { publish: ['task.{name}.>'], subscribe: [] } });
    expect(agentsLost(rules({ worker: ALL }), after)).toEqual({
      total: 1,
      list: [{ name: 'ada', role: 'worker', publish: ['log.*'], subscribe: ['task.ada.assigned'], offers: [] }],
    });
  });

  test.each<[string, PolicyRules, PolicyRules]>([
    ['the policy stays the same', rules({ worker: ALL }), rules({ worker: ALL })],
    [
      'its rules are narrower and still cover what it declares',
      rules({ worker: ALL }),
      rules({ worker: { publish: ['task.ada.>', 'log.>'], subscribe: ['task.>'] } }),
    ],
    ['it had no right before', rules({}), rules({ worker: NOTHING })],
    ['another role changes', rules({ worker: ALL, qa: ALL }), rules({ worker: ALL, qa: NOTHING })],
    ['its role is removed and the default allows as much', rules({ worker: ALL }), rules({}, ALL)],
  ])('an agent loses nothing when %s', (_case, before, after) => {
    expect(agentsLost(before, after)).toEqual({ total: 0, list: [] });
  });

  test('an agent loses a topic that a new rule denies', () => {
    const denying = rules({ worker: { ...ALL, denyPublish: ['log.>'] } });
    expect(agentsLost(rules({ worker: ALL }), denying).list).toMatchObject([{ publish: ['log.*'], subscribe: [] }]);
  });

  test('an agent loses a pattern of which a new rule denies a part', () => {
    const before = { ...ALL, denyPublish: ['task.{name}.assigned'] };
    const after = { ...before, denyPublish: ['task.{name}.assigned', 'task.*.done'], denySubscribe: ['log.>'] };
    expect(agentsLost(rules({ worker: before }), rules({ worker: after })).list).toEqual([
      { name: 'ada', role: 'worker', publish: ['task.ada.>'], subscribe: [], offers: [] },
    ]);
  });

  test('an agent loses the capabilities that its role may no longer offer', () => {
    const after = rules({ worker: { ...ALL, offers: ['code-*'] } });
    expect(agentsLost(rules({ worker: ALL }), after).list).toEqual([
      { name: 'ada', role: 'worker', publish: [], subscribe: [], offers: ['build'] },
    ]);
    expect(agentsLost(after, after).total).toBe(0);
  });

  test('a removed role leaves its agents the default', () => {
    expect(agentsLost(rules({ worker: ALL }), rules({})).list[0]?.publish).toEqual(worker.topics.publishes);
  });

  test('the first hundred agents are named, and all are counted', () => {
    const many = Array.from({ length: 250 }, (_, index) => ({ ...worker, name: `a-${index}` }));
    const { total, list } = agentsLost(rules({ worker: ALL }), rules({}), many);
    expect([total, list.length, list[0]?.name]).toEqual([250, 100, 'a-0']);
  });
});

describe('streams', () => {
  const narrow = { publish: ['a'], subscribe: ['task.>'] };
  test.each<[string, PolicyRules, OpenStream, number]>([
    ['a subscription whose topics are still allowed', rules({ worker: narrow }), stream(), 0],
    ['a subscription to more than that', rules({ worker: narrow }), stream({ topics: ['task.>', 'log.>'] }), 1],
    ['a member of its own group', rules({ worker: narrow }), stream({ kind: 'consume', group: 'ada' }), 0],
    [
      'a member of a group that no pattern allows',
      rules({ worker: narrow }),
      stream({ kind: 'consume', group: 'crew' }),
      1,
    ],
    [
      'a member of a group that a new role owns',
      rules({ worker: ALL, crew: ALL }),
      stream({ kind: 'consume', group: 'crew' }),
      1,
    ],
    [
      'a member of a group of which a rule hides a part',
      rules({ worker: { ...ALL, denySubscribe: ['task.ada.*'] } }),
      stream({ kind: 'consume', topics: ['task.>'], group: 'ada' }),
      1,
    ],
    [
      'a subscription of which a rule hides a part',
      rules({ worker: { ...ALL, denySubscribe: ['task.ada.*'] } }),
      stream({ topics: ['task.>'] }),
      0,
    ],
  ])('%s', (_case, after, open, total) => {
    expect(streamsLost(after, open)).toEqual({ total, list: total === 0 ? [] : [open] });
  });
});
