// Queries, on every store: what each filter and free text find, and pages while agents come and go.
import type { AgentFilter } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADMIN, codeOf, type Replicas } from '../../test/swarm.ts';
import { matchesFilter } from '../../src/agents/agent-filter.ts';
import { filters, registrations } from '../../test/agents/sample-agents.ts';

export function querySuite(replicas: Replicas): void {
  describe('a query', () => {
    it('says whether an agent has a name, in its namespace, until it is removed', async () => {
      const swarm = await replicas.swarm();
      const elsewhere = await replicas.swarm();
      const { namespace } = swarm;
      const { queries } = swarm.registry;
      await swarm.register('ada');
      await elsewhere.register('bob');
      const has = (names: string[]) => Promise.all(names.map((name) => queries.has({ namespace, name })));
      expect(await has(['ada', 'bob', 'ada', 'eve'])).toEqual([true, false, true, false]);
      await swarm.deregister('ada');
      expect(await has(['ada'])).toEqual([false]);
    });

    it('finds by each filter, and by all that are given', async () => {
      const swarm = await replicas.swarm();
      const elsewhere = await replicas.swarm();
      await elsewhere.register('ada', { capabilities: ['plan'], labels: { team: 'core' } });
      await swarm.register('ada', { capabilities: ['plan', 'code'], labels: { team: 'core', zone: 'a' } });
      await swarm.register('bob', { role: 'boss', capabilities: ['plan'], topics: { publishes: ['task.*.done'] } });
      await swarm.register('eve', {
        labels: { team: 'core' },
        topics: { subscribes: ['task.>', 'a.b.c.d.e.f.g.h.*.j'] },
      });
      const found: [AgentFilter, string[]][] = [
        [{}, ['ada', 'bob', 'eve']],
        [{ role: 'worker' }, ['ada', 'eve']],
        [{ capability: 'plan' }, ['ada', 'bob']],
        [{ capability: 'pla' }, []],
        [{ labels: { team: 'core' } }, ['ada', 'eve']],
        [{ labels: { team: 'core', zone: 'a' } }, ['ada']],
        [{ labels: { team: '' } }, []],
        [{ topic: 'task.x.done' }, ['bob', 'eve']],
        [{ topic: 'task.x' }, ['eve']],
        [{ topic: 'task' }, []],
        [{ topic: 'a.b.c.d.e.f.g.h.i.j' }, ['eve']],
        [{ topic: 'a.b.c.d.e.f.g.h.i.k' }, []],
        [{ topic: 'a.b.c.d.e.f.g.h' }, []],
        [{ health: 'unknown' }, ['ada', 'bob', 'eve']],
        [{ health: 'healthy' }, []],
        [{ circuit: 'closed' }, ['ada', 'bob', 'eve']],
        [{ circuit: 'open' }, []],
        [{ activity: 'ready' }, ['ada', 'bob', 'eve']],
        [{ activity: 'waiting' }, []],
        [{ role: 'worker', capability: 'plan', labels: { team: 'core' }, health: 'unknown' }, ['ada']],
        [{ role: 'boss', topic: 'task.x.done', circuit: 'closed' }, ['bob']],
        [{ role: 'boss', labels: { team: 'core' } }, []],
      ];
      for (const [filter, names] of found) expect([filter, await swarm.names(filter)]).toEqual([filter, names]);
      expect((await swarm.query({ role: 'nobody' })).revision).toBe(3);
    });

    it('finds what a watch with the same filter would receive', async () => {
      const swarm = await replicas.swarm();
      const samples = fc.sample(registrations, { numRuns: 120, seed: 7 });
      const agents = await Promise.all(
        samples.map(async (sample, i) => {
          const name = `agent-${String(i).padStart(3, '0')}`;
          // No agent is probed: the result would change during the query.
          const registration = { ...sample, namespace: swarm.namespace, name, healthUrl: undefined };
          return (await swarm.registry.registrations.register(registration, ADMIN)).agent;
        }),
      );
      await fc.assert(
        fc.asyncProperty(filters, async (filter) => {
          const expected = agents.filter((agent) => matchesFilter(agent, filter)).map(({ name }) => name);
          expect(await swarm.names(filter)).toEqual(expected);
        }),
        { numRuns: 100 },
      );
    });

    it('finds by words: all of them, each by its beginning, in any script and case', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('code-writer', { description: "Writes TypeScript; won't break, 100% (tested)" });
      await swarm.register('planner', {
        role: 'boss',
        description: 'План: 東京タワー, हिन्दी, Ärger, cafe\u0301',
        capabilities: [{ id: 'plan-goals', tags: ['Strategy'], description: 'breaks goals down' }],
        labels: { team: 'core', 'data-center': 'eu-west-1' },
      });
      const found: [string, string[]][] = [
        ['code', ['code-writer']],
        ['wri', ['code-writer']],
        ['WRITES typescript', ['code-writer']],
        ['writes goals', []],
        ['iter', []],
        ['break', ['code-writer', 'planner']],
        ['boss', ['planner']],
        ['plan-goals strat', ['planner']],
        ['core eu-west', ['planner']],
        ['data', ['planner']],
        ['план', ['planner']],
        ['東京', ['planner']],
        ['हि', ['planner']],
        ['ärger', ['planner']],
        ['ÄRGER', ['planner']],
        ['café', ['planner']],
        ['100%', ['code-writer']],
        ["won't", ['code-writer']],
        ['xyzzy', []],
        [' ', []],
        ['?!', []],
      ];
      for (const [text, names] of found) expect([text, await swarm.names({ text })]).toEqual([text, names]);
      expect(await swarm.names({ text: 'break', role: 'boss' })).toEqual(['planner']);
    });

    it('takes nothing in free text for an operator', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { description: 'drop table agents' });
      const hostile = [
        "'&|!():*<->\\",
        "ada'",
        "ada' & 'eve",
        'ada | eve',
        '!eve',
        'ada:*',
        'ada <-> eve',
        "'); drop table agents --",
      ];
      const expected = [[], ['ada'], [], [], [], ['ada'], [], ['ada']];
      for (const [i, text] of hostile.entries())
        expect([text, await swarm.names({ text })]).toEqual([text, expected[i]]);
      const texts = fc.string({
        unit: fc.constantFrom(...Array.from(`'"&|!():*<->\\%_$ \n\0ade\u{10330}\ud800`)),
        minLength: 1,
        maxLength: 30,
      });
      await fc.assert(
        fc.asyncProperty(texts, async (text) => {
          expect(await codeOf(swarm.query({ text }))).toBe('no refusal');
        }),
        { numRuns: 60 },
      );
    });
  });

  describe('pages', () => {
    it('come in the order of names, with a cursor until the last', async () => {
      const swarm = await replicas.swarm();
      const names = ['a', 'a-b', 'a0', 'b', 'b-', '0a', 'z9', 'aa'].map((name) => name.replace(/-$/, '-0'));
      await Promise.all(names.map((name) => swarm.register(name)));
      const sorted = names.toSorted((a, b) => (a < b ? -1 : 1));
      const first = await swarm.query({ limit: 3 });
      expect(first.agents.map(({ name }) => name)).toEqual(sorted.slice(0, 3));
      expect(first.revision).toBe(8);
      const exact = await swarm.query({ limit: 5, cursor: first.nextCursor ?? '' });
      expect(exact.agents.map(({ name }) => name)).toEqual(sorted.slice(3));
      expect(exact.nextCursor).toBeNull();
      expect((await swarm.query({ limit: 8 })).nextCursor).toBeNull();
    });

    it('of no agents are empty, also in a namespace that never had one', async () => {
      const swarm = await replicas.swarm();
      expect(await swarm.query()).toEqual({ agents: [], nextCursor: null, revision: 0 });
    });

    it('refuse a cursor that they did not return', async () => {
      const swarm = await replicas.swarm();
      const { nextCursor } = await (async () => {
        for (const version of ['1.0.0', '2.0.0', '3.0.0']) await swarm.register('ada', { version });
        return swarm.history('ada', { limit: 1 });
      })();
      for (const cursor of ['', 'garbage', nextCursor ?? '']) {
        expect(await codeOf(swarm.query({ cursor }))).toBe('INVALID_INPUT');
      }
    });

    it('show an agent that stays exactly once, while others come and go', async () => {
      const name = fc.integer({ min: 0, max: 29 }).map((i) => `agent-${String(i).padStart(2, '0')}`);
      const between = fc.array(fc.tuple(name, fc.boolean()), { maxLength: 4 });
      const walks = fc.record({
        there: fc.uniqueArray(name, { minLength: 1, maxLength: 20 }),
        limit: fc.integer({ min: 1, max: 7 }),
        moves: fc.array(between, { maxLength: 12 }),
      });
      await fc.assert(
        fc.asyncProperty(walks, async ({ there, limit, moves }) => {
          const swarm = await replicas.swarm();
          await Promise.all(there.map((each) => swarm.register(each)));
          const always = new Set(there);
          const seen: string[] = [];
          let cursor: string | undefined;
          let page = 0;
          do {
            const { agents, nextCursor } = await swarm.query({ limit, ...(cursor === undefined ? {} : { cursor }) });
            seen.push(...agents.map((agent) => agent.name));
            cursor = nextCursor ?? undefined;
            for (const [moved, comes] of cursor === undefined ? [] : (moves[page] ?? [])) {
              if (comes) await swarm.register(moved);
              else await swarm.deregister(moved).catch(() => undefined);
              if (!comes) always.delete(moved);
            }
            page += 1;
          } while (cursor !== undefined);
          expect(seen).toEqual([...new Set(seen)].toSorted());
          expect(seen).toEqual(expect.arrayContaining([...always]));
          await swarm.replica.close();
        }),
        { numRuns: 15 },
      );
    });

    it('give a revision that a watch resumes from', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada');
      const { revision } = await swarm.query();
      await swarm.register('eve');
      const watcher = swarm.watch({ cursor: revision });
      await watcher.synced();
      expect(watcher.received).toEqual(['registered eve', 'synced']);
    });
  });
}
