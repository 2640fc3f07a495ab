// Whose a group is, at every call that names one.
import { type AgentCaller, type BusCaller } from '../../src/admission/caller.ts';
import { type Bus } from '../../src/bus.ts';
import { putPolicy } from '../policy-change.ts';
import { OPERATOR, VIEWER, NO_TOKEN_ENDS, until, codeOf, type BusFixture } from './bus-fixture.ts';
import { SwarmError, type PolicyRules } from '@hypercode/contracts';
import { expect, test } from 'vitest';

export function groupRightsSuite(t: BusFixture): void {
  const { agent, consume, replica, swarm, groupInput } = t;
  /** Agents by name; the registry of the test. */
  const agents = new Set<string>();
  const isAgent = async (_namespace: string, name: string) => agents.has(name);
  const as = (name: string, role: string): AgentCaller => ({ ...agent(name), role });
  const all = { publish: ['>'], subscribe: ['>'] };
  const rules: PolicyRules = {
    roles: {
      coder: all,
      qa: { ...all, consume: ['{role}', 'shared', 'night-*', 'ada'] },
      observer: { publish: [], subscribe: ['>'] },
    },
    default: { publish: [], subscribe: ['>'] },
  };

  async function protectedSwarm(): Promise<Bus> {
    agents.clear();
    for (const name of ['ada', 'coder-1', 'eve']) agents.add(name);
    const bus = await swarm({ isAgent });
    await putPolicy(bus, t.namespace, rules, undefined);
    return bus;
  }

  /** What each call to a group ends with; all of them alike, or the list. */
  async function doors(bus: Bus, by: BusCaller, group: string): Promise<unknown> {
    const deliveryIds = ['lost-5-5.1.1'];
    const stream = consume(bus, { group, maxInFlight: 1 }, by);
    const codes = await Promise.all([
      codeOf(bus.claim(by, { ...groupInput({ group }), consumer: 'x', max: 1, waitMs: 0 }, NO_TOKEN_ENDS)),
      codeOf(bus.ack(by, t.namespace, group, deliveryIds)),
      codeOf(bus.nack(by, { namespace: t.namespace, group, deliveryIds, delayMs: 0, reason: undefined })),
      codeOf(bus.deadLetters(by, { namespace: t.namespace, group, limit: 1, cursor: undefined })),
      codeOf(bus.redrive(by, { namespace: t.namespace, group, deliveryIds: undefined, all: true })),
      codeOf(bus.discard(by, { namespace: t.namespace, group, deliveryIds: undefined, all: true })),
      until(() => {
        expect(stream.values.length + (stream.refusal === null ? 0 : 1)).toBeGreaterThan(0);
        return stream.refusal?.code ?? 'no refusal';
      }),
    ]);
    await stream.stop();
    return new Set(codes).size === 1 ? codes[0] : codes;
  }

  test('groups come in pages by name, to an agent those that it may consume', async () => {
    const bus = await protectedSwarm();
    const names = ['coder', 'coder-day', 'ops', 'qa', 'shared'];
    for (const group of names)
      await bus.claim(OPERATOR, { ...groupInput({ group }), max: 1, waitMs: 0 }, NO_TOKEN_ENDS);
    const page = async (caller: BusCaller, cursor?: string) => {
      const { groups, nextCursor } = await bus.groups(caller, { namespace: t.namespace, limit: 2, cursor });
      return { groups: groups.map(({ group }) => group), nextCursor };
    };
    expect(await page(VIEWER)).toEqual({ groups: ['coder', 'coder-day'], nextCursor: 'coder-day' });
    expect(await page(VIEWER, 'coder-day')).toEqual({ groups: ['ops', 'qa'], nextCursor: 'qa' });
    expect(await page(VIEWER, 'qa')).toEqual({ groups: ['shared'], nextCursor: null });
    expect(await page(as('bob', 'qa'))).toEqual({ groups: ['qa', 'shared'], nextCursor: null });
  });

  test('each call to a group is for those that it belongs to, and for operators', async () => {
    const bus = await protectedSwarm();
    const groups = ['coder', 'qa', 'ada', 'coder-1', 'coder-day', 'shared', 'night-7', 'eve', 'ops', 'bob'];
    for (const group of groups)
      await bus.claim(OPERATOR, { ...groupInput({ group }), max: 1, waitMs: 0 }, NO_TOKEN_ENDS);
    const callers: [BusCaller, string[]][] = [
      [as('ada', 'coder'), ['coder', 'ada', 'coder-day']],
      [as('coder-1', 'coder'), ['coder', 'coder-1', 'coder-day']],
      // What its role may consume by pattern is another agent's all the same.
      [as('bob', 'qa'), ['qa', 'shared', 'night-7', 'bob']],
      [as('eve', 'observer'), ['eve']],
      [as('mallory', 'guest'), []],
    ];
    for (const [caller, own] of callers) {
      for (const group of groups) {
        const outcome = await doors(bus, caller, group);
        expect([caller.name, group, outcome]).toEqual([
          caller.name,
          group,
          own.includes(group) ? 'no refusal' : 'ACL_DENIED',
        ]);
      }
      const listed = await bus.listGroups(caller, t.namespace);
      expect(listed.map(({ group }) => group).toSorted()).toEqual(own.toSorted());
    }
    expect(await doors(bus, OPERATOR, 'ada')).toBe('no refusal');
    expect(await doors(bus, VIEWER, 'ada')).toEqual(Object.assign(Array(7).fill('FORBIDDEN'), { 3: 'no refusal' }));
    expect(await bus.listGroups(VIEWER, t.namespace)).toHaveLength(groups.length);
  });

  test('a group that is not there is not told apart from one of somebody else', async () => {
    const bus = await protectedSwarm();
    const refused = await bus
      .ack(as('bob', 'qa'), t.namespace, 'coder', ['lost-5-5.1.1'])
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'ACL_DENIED',
      details: { role: 'qa', action: 'consume', group: 'coder', rule: 'group of role "coder"' },
    });
    expect(await codeOf(bus.ack(as('ada', 'coder'), t.namespace, 'coder', ['lost-5-5.1.1']))).toBe('NOT_FOUND');
  });

  test('a guest cannot make the group of an agent that comes later', async () => {
    const bus = await protectedSwarm();
    const input = { ...groupInput({ group: 'victim' }), max: 1, waitMs: 0 };
    expect(await codeOf(bus.claim(as('mallory', 'guest'), input, NO_TOKEN_ENDS))).toBe('ACL_DENIED');
    agents.add('victim');
    const own = { ...input, topics: ['task.victim.assigned'] };
    expect(await bus.claim(as('victim', 'coder'), own, NO_TOKEN_ENDS)).toMatchObject({ deliveries: [] });
  });

  test('a change of policy ends a stream and a waiting claim on a group, on every replica', async () => {
    const bus = await protectedSwarm();
    const stream = consume(await replica({ isAgent }), { group: 'shared' }, as('bob', 'qa'));
    const kept = consume(bus, { group: 'bob' }, as('bob', 'qa'));
    const input = { ...groupInput({ group: 'shared' }), consumer: 'x', max: 1, waitMs: 20_000 };
    const waiting = codeOf(bus.claim(as('bob', 'qa'), input, NO_TOKEN_ENDS));
    await until(() => expect([stream.values.length, kept.values.length]).toEqual([1, 1]));
    await putPolicy(bus, t.namespace, { ...rules, roles: { qa: all } }, undefined);
    expect(await waiting).toBe('ACL_DENIED');
    await until(() => expect(stream.refusal).toMatchObject({ code: 'ACL_DENIED', details: { group: 'shared' } }));
    expect(kept.refusal).toBeNull();
  });

  test('an agent that comes with the name of a group ends the streams of others on it', async () => {
    const bus = await protectedSwarm();
    const stream = consume(bus, { group: 'night-7' }, as('bob', 'qa'));
    const kept = consume(bus, { group: 'night-8' }, as('bob', 'qa'));
    await until(() => expect([stream.values.length, kept.values.length]).toEqual([1, 1]));
    agents.add('night-7');
    await until(() => {
      t.clock.advance(1000);
      expect(stream.refusal).toMatchObject({ code: 'ACL_DENIED', details: { rule: 'group of agent "night-7"' } });
    });
    expect(kept.refusal).toBeNull();
  });

  test('while the registry does not answer, what it said goes on, and a group that it was not asked about waits', async () => {
    await protectedSwarm();
    let away = false;
    const asked: string[] = [];
    const other = await replica({
      isAgent: async (_namespace, name) => {
        asked.push(name);
        if (away) throw new SwarmError('UNAVAILABLE', 'away');
        return agents.has(name);
      },
    });
    const bob = as('bob', 'qa');
    const claim = (group: string, by = bob) =>
      codeOf(other.claim(by, { ...groupInput({ group }), consumer: 'x', max: 1, waitMs: 0 }, NO_TOKEN_ENDS));
    const stream = consume(other, { group: 'shared' }, bob);
    await until(() => expect(stream.values).toHaveLength(1));
    expect(await claim('shared')).toBe('no refusal');
    expect(await claim('bob')).toBe('no refusal');
    expect(asked).toEqual(['shared']);
    away = true;
    await until(() => {
      t.clock.advance(1000);
      expect(asked.length).toBeGreaterThan(2);
    });
    expect([await claim('shared'), await claim('bob'), await claim('night-7')]).toEqual([
      'no refusal',
      'no refusal',
      'UNAVAILABLE',
    ]);
    expect(stream.refusal).toBeNull();
  });
}
