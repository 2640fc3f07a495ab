// An agent's history, on every store: newest first, in pages, as far back as the change log reaches.
import { describe, expect, it } from 'vitest';
import { codeOf, type Replicas, type Swarm } from '../../test/swarm.ts';

const revisions = async (swarm: Swarm, name: string): Promise<number[]> =>
  (await swarm.history(name)).changes.map(({ revision }) => revision);

export function historySuite(replicas: Replicas): void {
  describe('a history', () => {
    it('is the agent’s changes, newest first, each with what it led to', async () => {
      const swarm = await replicas.swarm();
      const { agent } = await swarm.register('ada');
      await swarm.register('eve');
      const updated = await swarm.update('ada', { version: '2.0.0' });
      const removed = await swarm.deregister('ada', 'done');
      const { agent: anew } = await swarm.register('ada', { role: 'boss' });
      const { changes, nextCursor } = await swarm.history('ada');
      expect(nextCursor).toBeNull();
      expect(changes.map(({ revision, change }) => `${revision} ${change}`)).toEqual([
        '5 registered',
        '4 deregistered',
        '3 updated',
        '1 registered',
      ]);
      expect(changes.map((change) => change.agent)).toEqual([anew, removed, updated, agent]);
      expect(changes.map(({ at }) => at)).toEqual([anew, removed, updated, agent].map(({ updatedAt }) => updatedAt));
    });

    it('comes in pages, which later changes do not move', async () => {
      const swarm = await replicas.swarm();
      for (let i = 1; i <= 7; i += 1) await swarm.register('ada', { version: `${i}.0.0` });
      const first = await swarm.history('ada', { limit: 3 });
      await swarm.update('ada', { version: '8.0.0' });
      const second = await swarm.history('ada', { limit: 3, cursor: first.nextCursor ?? '' });
      const third = await swarm.history('ada', { limit: 3, cursor: second.nextCursor ?? '' });
      const pages = [first, second, third].map(({ changes }) => changes.map(({ revision }) => revision));
      expect(pages).toEqual([[7, 6, 5], [4, 3, 2], [1]]);
      expect(third.nextCursor).toBeNull();
      expect((await swarm.history('ada', { limit: 8 })).nextCursor).toBeNull();
    });

    it('is there also after the agent was removed', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada');
      await swarm.deregister('ada');
      expect(await revisions(swarm, 'ada')).toEqual([2, 1]);
    });

    it('is NOT_FOUND for a name that never was registered', async () => {
      const swarm = await replicas.swarm();
      const other = await replicas.swarm();
      await other.register('ada');
      expect(await codeOf(swarm.history('ada'))).toBe('NOT_FOUND');
    });

    it('refuses a cursor that it did not return', async () => {
      const swarm = await replicas.swarm();
      for (const name of ['ada', 'eve']) await swarm.register(name);
      const { nextCursor } = await swarm.query({ limit: 1 });
      for (const cursor of ['', 'garbage', nextCursor ?? '']) {
        expect(await codeOf(swarm.history('ada', { cursor }))).toBe('INVALID_INPUT');
      }
    });

    it('ends at the horizon, and a cursor before it is COMPACTED', async () => {
      const swarm = await replicas.swarm();
      const keeper = await replicas.start({ retention: { maxChanges: 3, maxAgeMs: 86_400_000 } });
      for (let i = 1; i <= 8; i += 1) await swarm.register('ada', { version: `${i}.0.0` });
      const early = await swarm.history('ada', { limit: 5 });
      const late = await swarm.history('ada', { limit: 1 });
      await keeper.registry.retention.apply();
      expect(await revisions(swarm, 'ada')).toEqual([8, 7, 6]);
      expect(await codeOf(swarm.history('ada', { cursor: early.nextCursor ?? '' }))).toBe('COMPACTED');
      const rest = await swarm.history('ada', { cursor: late.nextCursor ?? '' });
      expect(rest.changes.map(({ revision }) => revision)).toEqual([7, 6]);
      expect(rest.nextCursor).toBeNull();
    });

    it('that was compacted away is empty for an agent that is there, NOT_FOUND for one that is not', async () => {
      const swarm = await replicas.swarm();
      const keeper = await replicas.start({ retention: { maxChanges: 0, maxAgeMs: 86_400_000 } });
      await swarm.register('ada');
      await swarm.register('eve');
      await swarm.deregister('eve');
      await keeper.registry.retention.apply();
      expect(await swarm.history('ada')).toEqual({ changes: [], nextCursor: null });
      expect(await codeOf(swarm.history('eve'))).toBe('NOT_FOUND');
    });
  });
}
