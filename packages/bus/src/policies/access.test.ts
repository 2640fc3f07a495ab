// What policies allow: deny wins, nothing is allowed by default, and no trick with patterns reaches further than a rule.
import { covers, matches, type RolePolicy } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Access, aclDenied, Decisions, groupDenied } from './access.ts';
import { DEFAULT_POLICY } from './default-policy.ts';

const NOTHING: RolePolicy = { publish: [], subscribe: [] };
const accessTo = (policy: Partial<RolePolicy>, name = 'ada') => new Access('coder', name, { ...NOTHING, ...policy });

const tokens = fc.constantFrom('a', 'b', 'ada');
const topics = fc.array(tokens, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
const patterns = fc
  .tuple(fc.array(fc.oneof(tokens, fc.constant('*')), { maxLength: 3 }), fc.oneof(tokens, fc.constantFrom('*', '>')))
  .map(([parts, last]) => [...parts, last].join('.'));
const lists = fc.array(patterns, { maxLength: 3 });

describe('publishing', () => {
  test('a topic may be published to when an allow rule matches it and no deny rule does', () => {
    fc.assert(
      fc.property(lists, lists, topics, (publish, denyPublish, topic) => {
        const { allowed, rule } = accessTo({ publish, denyPublish }).publish(topic);
        const expected =
          publish.some((pattern) => matches(pattern, topic)) && !denyPublish.some((pattern) => matches(pattern, topic));
        expect(allowed).toBe(expected);
        if (allowed) expect(publish).toContain(rule);
        else expect(rule === null || denyPublish.includes(rule)).toBe(true);
      }),
    );
  });

  test('a decision on publishing stays the same, also after more topics than are remembered', () => {
    const access = accessTo({ publish: ['a.>'], denyPublish: ['a.b'] });
    for (let round = 0; round < 2; round += 1) {
      for (let i = 0; i < 2500; i += 1) expect(access.publish(`a.c${i}`)).toEqual({ allowed: true, rule: 'a.>' });
      expect(access.publish('a.b')).toEqual({ allowed: false, rule: 'a.b' });
      expect(access.publish('b')).toEqual({ allowed: false, rule: null });
    }
  });
});

test('the cache of decisions has one bound, for any number of callers and topics', () => {
  const decisions = new Decisions();
  const policy = { ...NOTHING, publish: ['a.>'] };
  const agents = Array.from({ length: 140 }, (_, i) => new Access('coder', `agent-${i}`, policy, decisions));
  let most = 0;
  for (const agent of agents) {
    for (let i = 0; i < 1500; i += 1) agent.publish(`${i % 2 === 0 ? 'a' : 'b'}.${i}`);
    most = Math.max(most, decisions.size);
  }
  expect(most).toBeGreaterThan(190_000);
  expect(most).toBeLessThanOrEqual(200_000);
  for (const agent of agents) {
    expect(agent.publish('a.0')).toEqual({ allowed: true, rule: 'a.>' });
    expect(agent.publish('b.1')).toEqual({ allowed: false, rule: null });
  }
});

describe('subscribing', () => {
  test('a subscription shows nothing that is not allowed, and hides what is denied', () => {
    fc.assert(
      fc.property(lists, lists, patterns, topics, (subscribe, denySubscribe, wanted, topic) => {
        const access = accessTo({ subscribe, denySubscribe });
        const sees =
          access.subscribe(wanted).allowed &&
          matches(wanted, topic) &&
          !access.hidden.some((pattern) => matches(pattern, topic));
        if (sees) expect(subscribe.some((pattern) => matches(pattern, topic))).toBe(true);
        if (denySubscribe.some((pattern) => matches(pattern, topic))) expect(sees).toBe(false);
      }),
    );
  });

  test.each([
    ['>', ['a.*']],
    ['*', ['a']],
    ['a.*', ['a.b', 'a.c']],
    ['*.b', ['a.>']],
    ['a.>', ['a.*']],
  ])('%s is more than %j', (wanted, subscribe) => {
    expect(accessTo({ subscribe }).subscribe(wanted)).toEqual({ allowed: false, rule: null });
  });

  test('a subscription to patterns that one deny rule covers is denied by that rule', () => {
    const access = accessTo({ subscribe: ['>'], denySubscribe: ['secret.>'] });
    expect(access.subscribe('secret.*')).toEqual({ allowed: false, rule: 'secret.>' });
    expect(access.subscribe('*.plans')).toEqual({ allowed: true, rule: '>' });
  });

  test('a subscription of a group is denied by any overlap with a deny rule, since its members share their events', () => {
    const access = accessTo({ subscribe: ['>'], denySubscribe: ['secret.>'] });
    expect(access.consume('*.plans')).toEqual({ allowed: false, rule: 'secret.>' });
    expect(access.consume('open.plans')).toEqual({ allowed: true, rule: '>' });
    fc.assert(
      fc.property(lists, lists, patterns, topics, (subscribe, denySubscribe, wanted, topic) => {
        if (!accessTo({ subscribe, denySubscribe }).consume(wanted).allowed || !matches(wanted, topic)) return;
        expect(subscribe.some((pattern) => covers(pattern, wanted))).toBe(true);
        expect(denySubscribe.some((pattern) => matches(pattern, topic))).toBe(false);
      }),
    );
  });
});

describe('{name}', () => {
  const policy: Partial<RolePolicy> = { publish: ['task.{name}.>'], subscribe: ['agent.{name}.inbox.>'] };

  test('{name} is the agent itself, and no other', () => {
    const access = accessTo(policy);
    expect(access.publish('task.ada.done')).toEqual({ allowed: true, rule: 'task.{name}.>' });
    expect(access.publish('task.bob.done').allowed).toBe(false);
    expect(access.subscribe('agent.ada.inbox.>').allowed).toBe(true);
    expect(access.subscribe('agent.bob.inbox.>').allowed).toBe(false);
    expect(access.subscribe('agent.*.inbox.>').allowed).toBe(false);
  });

  test('{name} is replaced only as a whole token', () => {
    expect(accessTo({ publish: ['task.{name}'] }, 'a').publish('task.{name}').allowed).toBe(false);
  });
});

describe('groups', () => {
  const none = { kind: 'none' } as const;

  test('a group with the name of a role is for agents of that role alone, whatever the patterns say', () => {
    const owner = { kind: 'role', name: 'worker' } as const;
    const access = accessTo({ consume: ['*'] });
    expect(access.group('worker', owner)).toEqual({ allowed: false, rule: 'group of role "worker"' });
    expect(new Access('worker', 'ada', NOTHING).group('worker', owner).allowed).toBe(true);
  });

  test('a group with the name of an agent is for that agent alone, whatever the patterns say', () => {
    const owner = { kind: 'agent', name: 'victim' } as const;
    expect(accessTo({ consume: ['*'] }).group('victim', owner).allowed).toBe(false);
    expect(accessTo({ consume: [] }, 'victim').group('victim', owner).allowed).toBe(true);
  });

  test.each([
    ['ada', '{name}'],
    ['coder', '{role}'],
    ['coder-night', '{role}-*'],
    ['coder-', null],
    ['coders', null],
    ['bob', null],
  ])('by default a coder called ada consumes %s by the rule %s', (group, rule) => {
    expect(accessTo({ publish: ['a'] }).group(group, none)).toEqual({ allowed: rule !== null, rule });
  });

  test('a role that may publish nothing consumes no group by default', () => {
    expect(accessTo({ subscribe: ['>'] }).group('ada', none)).toEqual({ allowed: false, rule: null });
  });

  test('a denial of a group names the group and the rule', () => {
    const access = accessTo({ publish: ['a'] });
    const refusal = groupDenied(access, 'ops', access.group('ops', none));
    expect(refusal.toJSON()).toEqual({
      code: 'ACL_DENIED',
      message: 'role "coder" may not consume group "ops": no consume rule allows it',
      retryable: false,
      details: { role: 'coder', action: 'consume', group: 'ops', rule: null },
    });
  });
});

test('a denial names role, action, topic and rule', () => {
  const access = accessTo({ publish: ['>'], denyPublish: ['secret.>'] });
  const refusal = aclDenied(access, 'publish', 'secret.plan', access.publish('secret.plan'));
  expect(refusal.toJSON()).toEqual({
    code: 'ACL_DENIED',
    message: 'role "coder" may not publish "secret.plan": the rule "secret.>" denies it',
    retryable: false,
    details: { role: 'coder', action: 'publish', topic: 'secret.plan', rule: 'secret.>' },
  });
});

describe('the policy that ships with the product', () => {
  const as = (role: string, name: string) =>
    new Access(role, name, DEFAULT_POLICY.roles[role] ?? DEFAULT_POLICY.default);

  test('the default policy lets the architect assign, and workers report on their own tasks only', () => {
    expect(as('architect', 'arch').publish('task.ada.assigned').allowed).toBe(true);
    for (const role of ['coder', 'qa', 'worker']) {
      const ada = as(role, 'ada');
      for (const kind of ['accepted', 'progress', 'completed', 'failed']) {
        expect(ada.publish(`task.ada.${kind}`).allowed).toBe(true);
        expect(ada.publish(`task.bob.${kind}`).allowed).toBe(false);
      }
      expect(ada.publish('task.ada.assigned').allowed).toBe(false);
      expect(ada.publish('goal.submitted').allowed).toBe(false);
      expect(ada.subscribe('task.ada.assigned').allowed).toBe(true);
      expect(ada.subscribe('task.>').allowed).toBe(false);
    }
  });

  test('the default policy gives unlisted roles an inbox and nothing else', () => {
    const stranger = as('stranger', 'eve');
    expect(stranger.subscribe('agent.eve.inbox.>').allowed).toBe(true);
    expect(stranger.subscribe('agent.ada.inbox.>').allowed).toBe(false);
    expect(stranger.publish('agent.ada.inbox.hello').allowed).toBe(false);
    expect(as('observer', 'eye').publish('a').allowed).toBe(false);
    expect(as('observer', 'eye').subscribe('>').allowed).toBe(true);
  });
});
