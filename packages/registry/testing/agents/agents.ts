// Registering, updating and deregistering, on every store: outcomes, what is stored, and what a group of writes shares.
import { describe, expect, it } from 'vitest';
import { ADMIN, codeOf, type Replicas } from '../../test/swarm.ts';
import { INCARNATIONS } from '../../test/agents/sample-agents.ts';
import type { Schema } from '../../src/schema.ts';

const [FIRST, SECOND] = INCARNATIONS;

export function agentsSuite(replicas: Replicas): void {
  describe('an agent', () => {
    it('is created once, with an id and a revision of its own', async () => {
      const swarm = await replicas.swarm();
      const ada = await swarm.register('ada', { capabilities: ['plan'], labels: { team: 'core' }, incarnation: FIRST });
      const eve = await swarm.register('eve');
      expect(ada).toMatchObject({
        outcome: 'created',
        token: expect.stringMatching(/^swagent_/) as string,
        agent: {
          namespace: swarm.namespace,
          revision: 1,
          specRevision: 1,
          capabilities: [{ id: 'plan' }],
          incarnation: FIRST,
          status: {
            health: 'unknown',
            activity: 'ready',
            circuit: 'closed',
            circuitOpenUntil: null,
            consecutiveFailures: 0,
            reason: null,
          },
        },
      });
      expect(ada.agent.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
      expect(ada.agent.registeredAt).toBe(ada.agent.updatedAt);
      expect(eve.agent).toMatchObject({ revision: 2, incarnation: null });
      expect(eve.agent.id).not.toBe(ada.agent.id);
      expect(await swarm.get('ada')).toEqual(ada.agent);
    });

    it('is unchanged by the same registration: no revision, no change for watchers', async () => {
      const swarm = await replicas.swarm();
      const fields = { description: 'plans', topics: { publishes: ['a.*', 'b.>'] }, incarnation: FIRST };
      const { agent, token } = await swarm.register('ada', fields);
      const watcher = swarm.watch();
      await watcher.synced();
      const again = await swarm.register('ada', { ...fields, topics: { publishes: ['b.>', 'a.*'] } });
      expect(again).toMatchObject({ outcome: 'unchanged', agent: { id: agent.id, revision: 1, specRevision: 1 } });
      expect(again.token).not.toBe(token);
      await swarm.register('eve');
      await watcher.receives('snapshot ada', 'synced', 'registered eve');
      expect(await swarm.revision()).toBe(2);
    });

    it('is updated by a registration or an update that differs', async () => {
      const swarm = await replicas.swarm();
      const { agent } = await swarm.register('ada', { description: 'plans', labels: { team: 'core' } });
      const registered = await swarm.register('ada', { version: '1.1.0' });
      expect(registered).toMatchObject({
        outcome: 'updated',
        agent: { id: agent.id, version: '1.1.0', description: null, labels: {}, revision: 2, specRevision: 2 },
      });
      const updated = await swarm.update('ada', { labels: { zone: 'a' } }, 2);
      expect(updated).toMatchObject({ version: '1.1.0', labels: { zone: 'a' }, revision: 3, specRevision: 3 });
      expect(updated.registeredAt).toBe(agent.registeredAt);
      expect(await swarm.update('ada', { labels: { zone: 'a' } })).toMatchObject({ revision: 3 });
      expect(await swarm.get('ada')).toMatchObject({ labels: { zone: 'a' }, updatedAt: updated.updatedAt });
    });

    it('keeps what cannot change, and refuses by name', async () => {
      const swarm = await replicas.swarm();
      const { agent } = await swarm.register('ada');
      for (const attempt of [
        () => swarm.register('ada', { role: 'boss', version: '2.0.0' }),
        () => swarm.update('ada', { role: 'boss', version: '2.0.0' }),
        () => swarm.update('ada', { name: 'eve', version: '2.0.0' }),
        () => swarm.update('ada', { namespace: 'elsewhere', version: '2.0.0' }),
      ]) {
        expect(await codeOf(attempt())).toBe('IMMUTABLE_FIELD');
      }
      await expect(swarm.update('ada', { role: 'boss' })).rejects.toMatchObject({ details: { field: 'role' } });
      expect(await swarm.get('ada')).toEqual(agent);
      expect(await swarm.revision()).toBe(1);
    });

    it('is updated only from the registration that the caller knows', async () => {
      const swarm = await replicas.swarm();
      const token = await swarm.join('ada');
      await swarm.update('ada', { version: '1.1.0' });
      expect(await codeOf(swarm.update('ada', { version: '1.2.0' }, 1))).toBe('CONFLICT');
      await swarm.registry.heartbeats.renew(await swarm.agent(token), { activity: 'busy' });
      expect(await swarm.get('ada')).toMatchObject({ revision: 3, specRevision: 2 });
      expect(await codeOf(swarm.update('ada', { version: '1.2.0' }, 3))).toBe('CONFLICT');
      expect(await swarm.update('ada', { version: '1.2.0' }, 2)).toMatchObject({ revision: 4, specRevision: 4 });
    });

    it('is removed with its last state, and a later registration creates a new agent', async () => {
      const swarm = await replicas.swarm();
      const { agent } = await swarm.register('ada', { incarnation: FIRST });
      const removed = await swarm.deregister('ada', 'out of work');
      expect(removed).toMatchObject({ id: agent.id, revision: 2, status: { reason: 'out of work' } });
      expect(await codeOf(swarm.get('ada'))).toBe('NOT_FOUND');
      expect(await codeOf(swarm.deregister('ada'))).toBe('NOT_FOUND');
      expect(await codeOf(swarm.update('ada', { version: '2.0.0' }))).toBe('NOT_FOUND');
      const again = await swarm.register('ada', { role: 'boss', incarnation: FIRST });
      expect(again).toMatchObject({ outcome: 'created', agent: { role: 'boss', revision: 3, specRevision: 3 } });
      expect(again.agent.id).not.toBe(agent.id);
    });

    it('is another one in another namespace', async () => {
      const here = await replicas.swarm();
      const there = await replicas.swarm();
      await here.register('ada');
      expect(await codeOf(there.get('ada'))).toBe('NOT_FOUND');
      expect(await there.register('ada', { role: 'boss' })).toMatchObject({
        outcome: 'created',
        agent: { revision: 1 },
      });
      await there.deregister('ada');
      expect(await here.get('ada')).toMatchObject({ role: 'worker', revision: 1 });
    });

    it('holds whatever the contracts allow', async () => {
      const swarm = await replicas.swarm();
      const schema = JSON.parse(
        '{"__proto__":{"a":[1e-7,9007199254740993,-0]},"toString":null,"👍":"\\u0001"}',
      ) as object;
      const fields = {
        description: `${'𐌰'.repeat(200)} 👍 \\ " ' % \u{1}\t\r\n 漢字 ${'é'.repeat(3000)}`,
        capabilities: [{ id: 'constructor', inputSchema: schema, tags: ['ﬁ', ' '] }],
        labels: { 'to-string': '', constructor: '𐌰'.repeat(256) },
        topics: { publishes: [Array.from({ length: 16 }, () => '*').join('.')], subscribes: ['>'] },
      };
      const { agent } = await swarm.register('ada', fields as never);
      expect(await swarm.register('ada', fields as never)).toMatchObject({ outcome: 'unchanged' });
      const stored = await swarm.get('ada');
      expect(stored).toMatchObject({ description: fields.description, labels: fields.labels, topics: fields.topics });
      expect(JSON.stringify(stored.capabilities)).toContain('__proto__');
      expect(stored.capabilities).toEqual(JSON.parse(JSON.stringify(agent.capabilities)));
    });
  });

  describe('writes of one group', () => {
    it('take revisions without holes, each its own', async () => {
      const swarm = await replicas.swarm();
      const results = await Promise.all(Array.from({ length: 300 }, (_, i) => swarm.register(`agent-${i}`)));
      const revisions = results.map(({ agent }) => agent.revision).toSorted((a, b) => a - b);
      expect(revisions).toEqual(Array.from({ length: 300 }, (_, i) => i + 1));
      expect(new Set(results.map(({ token }) => token)).size).toBe(300);
    });

    it('to one agent happen in their order, each on what the one before it left', async () => {
      const swarm = await replicas.swarm();
      const [created, updated, again, removed, anew] = await Promise.all([
        swarm.register('ada'),
        swarm.update('ada', { version: '1.1.0' }),
        swarm.register('ada', { version: '1.1.0' }),
        swarm.deregister('ada'),
        swarm.register('ada', { version: '1.1.0' }),
        expect(swarm.update('ada', { version: '1.2.0' }, 1)).rejects.toMatchObject({ code: 'CONFLICT' }),
      ]);
      expect(created).toMatchObject({ outcome: 'created', agent: { version: '1.0.0', revision: 1 } });
      expect(updated).toMatchObject({ version: '1.1.0', revision: 2 });
      expect(again).toMatchObject({ outcome: 'unchanged', agent: { version: '1.1.0', revision: 2 } });
      expect(removed).toMatchObject({ revision: 3 });
      expect(anew).toMatchObject({ outcome: 'created', agent: { revision: 4 } });
    });

    it('answer each caller with what its own call found', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada');
      const [unchanged, updated] = await Promise.all([
        swarm.register('ada'),
        swarm.update('ada', { version: '1.1.0' }),
      ]);
      expect(unchanged).toMatchObject({ outcome: 'unchanged', agent: { version: '1.0.0', revision: 1 } });
      expect(updated).toMatchObject({ version: '1.1.0', revision: 2 });
    });

    it('give each process a token of its own, also when the name is taken over in the same moment', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST });
      const [early, late] = await Promise.all([
        swarm.join('ada', { incarnation: FIRST }),
        swarm.join('ada', { incarnation: SECOND }),
      ]);
      expect(await codeOf(swarm.recognise(early))).toBe('FENCED');
      expect(await swarm.recognise(late)).toMatchObject({ kind: 'agent', incarnation: SECOND });
    });

    it('leave no token when the agent is removed in the same moment', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada');
      const [token] = await Promise.all([swarm.join('ada'), swarm.deregister('ada')]);
      expect(await codeOf(swarm.recognise(token))).toBe('UNAUTHENTICATED');
      const rows = await swarm.replica.database.kysely
        .$extendTables<Schema>()
        .selectFrom('tokens')
        .select('id')
        .where('namespace', '=', swarm.namespace)
        .execute();
      expect(rows).toEqual([]);
    });

    it('succeed beside one that the store refuses', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('old');
      // Contracts refuse all three; here they come in behind their back.
      const poison = { ...swarm.registration('nul'), description: 'a\0b' };
      const surrogate = { ...swarm.registration('half'), labels: { half: '\ud800' } };
      const incarnation = { ...swarm.registration('process'), incarnation: 'none' };
      const [a, nul, b, half, c, other, d, e] = await Promise.allSettled([
        swarm.register('a'),
        swarm.registry.registrations.register(poison, ADMIN),
        swarm.update('old', { version: '2.0.0' }),
        swarm.registry.registrations.register(surrogate, ADMIN),
        swarm.register('old', { version: '2.0.0' }),
        swarm.registry.registrations.register(incarnation, ADMIN),
        swarm.update('a', { version: '2.0.0' }),
        swarm.update('nobody', { version: '2.0.0' }),
      ]);
      for (const refused of [nul, half, other]) {
        expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'INVALID_INPUT' } });
      }
      expect(a).toMatchObject({ value: { outcome: 'created', agent: { revision: 2 } } });
      expect(b).toMatchObject({ value: { version: '2.0.0', revision: 3 } });
      expect(c).toMatchObject({ value: { outcome: 'unchanged', agent: { revision: 3 } } });
      expect(d).toMatchObject({ value: { version: '2.0.0', revision: 4 } });
      expect(e).toMatchObject({ reason: { code: 'NOT_FOUND' } });
      expect(await swarm.names()).toEqual(['a', 'old']);
      expect(await swarm.revision()).toBe(4);
    });

    it('are decided once: what was answered does not happen again when the group is split', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada');
      const other = swarm.on(await replicas.start());
      const poison = { ...swarm.registration('nul'), description: 'a\0b' };
      // `ada` is as asked and `eve` is not there, which both are answered at once, before the group meets the poison.
      const unchanged = swarm.update('ada', { version: '1.0.0' }).then(() => other.update('ada', { version: '9.0.0' }));
      const missing = swarm.update('eve', { version: '9.0.0' }).catch(() => other.register('eve'));
      await Promise.all([
        unchanged,
        missing,
        expect(swarm.registry.registrations.register(poison, ADMIN)).rejects.toThrow(),
      ]);
      expect(await swarm.get('ada')).toMatchObject({ version: '9.0.0' });
      expect(await swarm.get('eve')).toMatchObject({ version: '1.0.0' });
    });
  });
}
