// A thousand registrations at once, of fifty names, over tRPC and REST: tests for a core on any store.
import type { AgentRegistrationInput, RegisterResult } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { accepted, allAgents, call, type Outcome, registration, send } from './call.ts';
import { faultOf, holeIn, readChangeLog, stateAfter } from './change-record.ts';
import { TRANSPORTS } from './connections.ts';
import { START_TIMEOUT_MS, type TestCore } from './core.ts';
import { Watcher } from './watcher.ts';

const NAMES = Array.from({ length: 50 }, (_, i) => `agent-${i}`);

/** `start` gives a core whose namespace is empty. */
export const registeringSuite = (store: string, start: () => Promise<TestCore>) =>
  describe(`registering on ${store}`, () => {
    let core: TestCore;
    const watchers: Watcher[] = [];

    beforeAll(async () => {
      core = await start();
    }, START_TIMEOUT_MS);
    afterEach(() => {
      for (const watcher of watchers.splice(0)) watcher.close();
    });
    afterAll(() => core?.close());

    async function watch(): Promise<Watcher[]> {
      watchers.push(...TRANSPORTS.map((transport) => new Watcher({ core, transport, namespace: core.namespace })));
      await waitFor(() => watchers.every(({ synced }) => synced > 0), {
        what: 'all watchers in step',
        timeoutMs: 60_000,
      });
      return watchers;
    }

    /** The same call over REST. */
    async function post(body: unknown): Promise<Outcome<RegisterResult>> {
      const answer = await send(core, {
        method: 'POST',
        path: '/v1/agents',
        token: core.adminToken,
        body: JSON.stringify(body),
      });
      if (!answer.ok) return answer;
      const parsed: unknown = JSON.parse(answer.body);
      if (answer.status >= 400) return { ok: false, ...(parsed as { code: string; message: string }) };
      const result = parsed as RegisterResult;
      expect(answer.status).toBe(result.outcome === 'created' ? 201 : 200);
      return { ok: true, data: result };
    }

    const inputOf = (name: string, fields: Partial<AgentRegistrationInput> = {}) =>
      registration(name, { ...fields, namespace: core.namespace });

    /** Four kinds of registration for each name: the first, again, with another version, with another role. */
    const kinds = [{}, {}, { version: '2.0.0' }, { role: 'other' }];

    test('1,000 mixed calls leave one record a name, and revisions without holes', async () => {
      const all = await watch();
      const outcomes: { name: string; input: AgentRegistrationInput; outcome: Outcome<RegisterResult> }[] = [];
      const calls = Array.from({ length: 1000 }, (_, i) => i).values();
      // As many at once as a token has turns; more would be refused on a slow machine.
      const caller = async (): Promise<void> => {
        for (const i of calls) {
          const name = NAMES[i % NAMES.length] ?? '';
          const input = inputOf(name, kinds[Math.floor(i / NAMES.length) % kinds.length]);
          const outcome = await (i % 3 === 0 ? post(input) : call(core, 'registry.register', input));
          outcomes.push({ name, input, outcome });
        }
      };
      await Promise.all(Array.from({ length: 250 }, caller));

      const log = await readChangeLog(core, { namespace: core.namespace });
      expect(holeIn(log, 0)).toBeNull();
      const state = stateAfter(log);
      expect([...state.keys()].toSorted()).toEqual(NAMES.toSorted());
      const agents = await allAgents(core, core.namespace);
      expect(agents.map(({ name, revision }) => [name, revision])).toEqual(
        NAMES.toSorted().map((name) => [name, state.get(name)?.revision]),
      );

      const changed: number[] = [];
      const created: string[] = [];
      for (const { name, input, outcome } of outcomes) {
        if (!outcome.ok) {
          expect(outcome).toMatchObject({ code: 'IMMUTABLE_FIELD', details: { field: 'role' } });
          expect(state.get(name)?.role).not.toBe(input.role);
          continue;
        }
        const { agent } = outcome.data;
        expect(log[agent.revision - 1]?.agent).toMatchObject({
          id: agent.id,
          name,
          version: input.version,
          role: input.role,
        });
        if (outcome.data.outcome === 'created') created.push(name);
        if (outcome.data.outcome !== 'unchanged') changed.push(agent.revision);
      }
      expect(created.toSorted()).toEqual(NAMES.toSorted());
      expect(changed.toSorted((a, b) => a - b)).toEqual(log.map(({ revision }) => revision));
      for (const kind of ['created', 'updated', 'unchanged']) {
        expect(outcomes.some(({ outcome }) => outcome.ok && outcome.data.outcome === kind)).toBe(true);
      }
      expect(outcomes.some(({ outcome }) => !outcome.ok)).toBe(true);

      await waitFor(() => all.every(({ position }) => position >= log.length), {
        what: 'all watchers',
        timeoutMs: 60_000,
      });
      expect(all.map((watcher) => faultOf(watcher, {}, log))).toEqual(all.map(() => null));
    });

    test('an unchanged registration, and a refused one, wake no watcher', async () => {
      const first = accepted(await call(core, 'registry.register', inputOf('quiet', { labels: { a: '1', b: '2' } })));
      const all = await watch();
      const again = inputOf('quiet', { labels: { b: '2', a: '1' } });
      const outcomes = await Promise.all(
        Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? post(again) : call(core, 'registry.register', again))),
      );
      for (const outcome of outcomes) {
        const { outcome: kind, agent } = accepted(outcome);
        expect([kind, agent.revision]).toEqual(['unchanged', first.agent.revision]);
      }
      const refused = await call(core, 'registry.register', inputOf('quiet', { role: 'other' }));
      expect(refused).toMatchObject({ code: 'IMMUTABLE_FIELD', details: { field: 'role' } });
      const moved = await call(core, 'registry.update', {
        namespace: core.namespace,
        name: 'quiet',
        set: { namespace: 'elsewhere' },
      });
      expect(moved).toMatchObject({ code: 'IMMUTABLE_FIELD', details: { field: 'namespace' } });

      const { agent } = accepted(
        await call(core, 'registry.update', { namespace: core.namespace, name: 'quiet', set: { version: '1.0.1' } }),
      );
      expect(agent.revision).toBe(first.agent.revision + 1);
      await waitFor(() => all.every(({ position }) => position >= agent.revision), {
        what: 'the update to be received',
      });
      for (const { changes } of all) {
        expect(changes).toMatchObject([{ revision: agent.revision, change: 'updated', name: 'quiet' }]);
      }
    });
  });
