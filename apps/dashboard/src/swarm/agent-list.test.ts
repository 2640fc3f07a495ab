import type { AgentSummary } from '@hypercode/client';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type AgentChanges, AgentList } from './agent-list.ts';
import { type AgentTally, tallyOf } from './agent-tally.ts';
import { atOnce } from './slices.ts';

const agents = fc.record({
  name: fc.constantFrom('ada', 'bob', 'cy', 'dora', 'eve'),
  capabilities: fc.uniqueArray(fc.constantFrom('code', 'review', 'test')).map((ids) => ids.map((id) => ({ id }))),
  status: fc.record({
    health: fc.constantFrom('healthy', 'unhealthy', 'unknown'),
    circuit: fc.constantFrom('closed', 'open', 'half_open'),
    activity: fc.constantFrom('ready', 'blocked', 'waiting'),
  }),
}) as unknown as fc.Arbitrary<AgentSummary>;
const batches = fc.array(fc.array(fc.tuple(agents, fc.boolean()), { maxLength: 6 }), { maxLength: 8 });

const plain = ({ having, offering, ...rest }: AgentTally) => ({
  ...rest,
  capabilities: ['code', 'review', 'test'].map((id) => [having(id), offering(id)]),
});

test('after any changes the list is by name, and its tally is that of counting it at once', () => {
  fc.assert(
    fc.property(batches, (given) => {
      const list = new AgentList();
      const model = new Map<string, AgentSummary>();
      for (const batch of given) {
        const changes: AgentChanges = new Map(batch.map(([agent, isThere]) => [agent.name, isThere ? agent : null]));
        for (const [name, agent] of changes) {
          if (agent === null) model.delete(name);
          else model.set(name, agent);
        }
        const { agents: found, tally } = atOnce(list.after(changes));
        const wanted = [...model.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
        expect(found).toEqual(wanted);
        expect(plain(tally)).toEqual(plain(tallyOf(wanted)));
      }
    }),
  );
});

test('an agent that did not change is the same object', () => {
  const agent = (name: string) => ({ name, capabilities: [], status: {} }) as unknown as AgentSummary;
  const ada = agent('ada');
  const list = new AgentList();
  atOnce(list.after(new Map([['ada', ada]])));
  expect(atOnce(list.after(new Map([['bob', agent('bob')]]))).agents[0]).toBe(ada);
});
