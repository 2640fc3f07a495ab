// What is read of large agents, on every store: pages, histories and snapshots end early, and are whole together.
import { type AgentRegistrationInput, LIMITS } from '@hypercode/contracts';
import { describe, expect, it } from 'vitest';
import type { Replicas, Swarm } from '../../test/swarm.ts';

/** About 60 KB of JSON, which compresses to nearly nothing. */
const LARGE: Partial<AgentRegistrationInput> = {
  capabilities: [{ id: 'plan', inputSchema: { description: 'x'.repeat(60_000) } }],
};
/** More than fit in one page, and less than fit in two. */
const COUNT = 100;

/** About as large as a registration may be. */
const LARGEST: Partial<AgentRegistrationInput> = {
  topics: { publishes: ['task.*.done'] },
  capabilities: [
    { id: 'create_pull_request', tags: ['vcs'], description: 'd', inputSchema: { description: 'x'.repeat(510_000) } },
    'Plan.v2',
  ],
};

const SUMMARISED = [{ id: 'create_pull_request', tags: ['vcs'] }, { id: 'Plan.v2' }];

const bytesOf = (value: unknown): number => Buffer.byteLength(JSON.stringify(value));

async function manyLarge(swarm: Swarm): Promise<string[]> {
  const names = Array.from({ length: COUNT }, (_, i) => `agent-${String(i).padStart(3, '0')}`);
  await Promise.all(names.map((name) => swarm.register(name, LARGE)));
  return names;
}

export function largeAgentsSuite(replicas: Replicas): void {
  describe('large agents', () => {
    it.each([
      ['all', {}],
      ['those with a capability', { capability: 'plan' }],
      ['those with a word', { text: 'plan' }],
    ])('come in pages of %s that end at 4 MiB', async (_which, filter) => {
      const swarm = await replicas.swarm();
      const names = await manyLarge(swarm);
      const first = await swarm.query({ ...filter, limit: LIMITS.pageSize });
      expect(first.agents.length).toBeGreaterThan(COUNT / 2);
      expect(bytesOf(first.agents)).toBeLessThan(LIMITS.pageBytes * 1.01);
      const second = await swarm.query({ ...filter, limit: LIMITS.pageSize, cursor: first.nextCursor ?? '' });
      expect(second.nextCursor).toBeNull();
      expect([...first.agents, ...second.agents].map(({ name }) => name)).toEqual(names);
      const short = await swarm.query({ ...filter, limit: 2 });
      expect(short.agents.map(({ name }) => name)).toEqual(names.slice(0, 2));
      expect(short.nextCursor).not.toBeNull();
    });

    it('that are found by the index of terms come in the same pages', async () => {
      const swarm = await replicas.swarm();
      // More names than are walked before the index is asked.
      const others = Array.from({ length: 1001 }, (_, i) => `a-${String(i).padStart(4, '0')}`);
      await Promise.all(others.map((name) => swarm.register(name)));
      const names = await manyLarge(swarm);
      const first = await swarm.query({ capability: 'plan', limit: LIMITS.pageSize });
      const second = await swarm.query({ capability: 'plan', limit: LIMITS.pageSize, cursor: first.nextCursor ?? '' });
      expect(bytesOf(first.agents)).toBeLessThan(LIMITS.pageBytes * 1.01);
      expect([...first.agents, ...second.agents].map(({ name }) => name)).toEqual(names);
      expect(second.nextCursor).toBeNull();
    });

    it('have a history in pages that end at 4 MiB', async () => {
      const swarm = await replicas.swarm();
      for (let i = 1; i <= COUNT; i += 1) await swarm.register('ada', { ...LARGE, version: `${i}.0.0` });
      const first = await swarm.history('ada', { limit: LIMITS.pageSize });
      expect(first.changes.length).toBeGreaterThan(COUNT / 2);
      expect(bytesOf(first.changes)).toBeLessThan(LIMITS.pageBytes * 1.01);
      const second = await swarm.history('ada', { limit: LIMITS.pageSize, cursor: first.nextCursor ?? '' });
      expect(second.nextCursor).toBeNull();
      const revisions = [...first.changes, ...second.changes].map(({ revision }) => revision);
      expect(revisions).toEqual(Array.from({ length: COUNT }, (_, i) => COUNT - i));
    });

    it('come in a snapshot whose chunks end at 512 KiB, and a watch that resumes misses none of their changes', async () => {
      const swarm = await replicas.swarm();
      const names = await manyLarge(swarm);
      const watcher = swarm.watch();
      await watcher.synced();
      const chunks = watcher.events.filter((event) => event.type === 'snapshot');
      expect(chunks.length).toBeGreaterThan(COUNT / 10);
      expect(chunks.flatMap(({ agents }) => agents.map(({ name }) => name))).toEqual(names);
      for (const chunk of chunks) expect(bytesOf(chunk)).toBeLessThan(LIMITS.snapshotChunkBytes * 1.01);

      // A new replica has only the log, which it reads in pages.
      const fresh = swarm.on(await replicas.start());
      const changes = await fresh.changesSince(0);
      expect(changes.map(({ revision }) => revision)).toEqual(Array.from({ length: COUNT }, (_, i) => i + 1));
    });

    it('that are more than 16 MiB are read while a watcher takes them, as they were when it began', async () => {
      const swarm = await replicas.swarm();
      const names = Array.from({ length: 36 }, (_, i) => `agent-${i + 10}`);
      for (const name of names) await swarm.register(name, LARGEST);
      const watcher = swarm.watch();
      watcher.pause();
      await watcher.until(({ items }) => items.length === 1);
      await swarm.register('agent-40', { ...LARGEST, version: '2.0.0' });
      await swarm.deregister('agent-41');
      await swarm.register('agent-41', { version: '3.0.0' });
      await swarm.deregister('agent-42');
      watcher.resume();
      // They are 18 MB.
      await watcher.synced(60_000);
      const chunks = watcher.events.filter((event) => event.type === 'snapshot');
      const agents = chunks.flatMap((chunk) => chunk.agents);
      expect(agents.map(({ name }) => name)).toEqual(names);
      expect(new Set(agents.map(({ version }) => version))).toEqual(new Set(['1.0.0']));
      for (const chunk of chunks) expect(bytesOf(chunk)).toBeLessThan(LIMITS.snapshotChunkBytes * 1.01);
      await watcher.until(({ changes }) => changes.length === 4);
      expect(watcher.agents.get('agent-41')?.version).toBe('3.0.0');
      expect(watcher.agents.size).toBe(35);
    });

    it('as large as they may be are read in pages, in chunks of one agent, and in one page and chunk of summaries', async () => {
      const swarm = await replicas.swarm();
      const names = Array.from({ length: 12 }, (_, i) => `agent-${String(i).padStart(2, '0')}`);
      for (const name of names) await swarm.register(name, LARGEST);
      const page = await swarm.query({ limit: LIMITS.pageSize });
      expect(page.agents).toHaveLength(8);
      expect(bytesOf(page.agents)).toBeLessThan(LIMITS.pageBytes);
      const watcher = swarm.watch();
      await watcher.synced();
      const chunks = watcher.events.filter((event) => event.type === 'snapshot');
      expect(chunks.map(({ agents }) => agents.map(({ name }) => name))).toEqual(names.map((name) => [name]));

      for (const filter of [{}, { capability: 'create_pull_request' }, { text: 'pull' }]) {
        const { agents, nextCursor } = await swarm.query({ ...filter, view: 'summary', limit: LIMITS.pageSize });
        expect(nextCursor).toBeNull();
        expect(agents.map(({ name }) => name)).toEqual(names);
        expect(agents.map(({ capabilities }) => capabilities)).toEqual(names.map(() => SUMMARISED));
        for (const agent of agents) expect(agent).not.toHaveProperty('topics');
      }
      const summaries = swarm.watch({ view: 'summary' });
      const others = swarm.watch({ view: 'summary' });
      await Promise.all([summaries.synced(), others.synced()]);
      expect(summaries.received).toEqual([`snapshot ${names.join(' ')}`, 'synced']);
      await swarm.register('agent-00', { ...LARGEST, version: '2.0.0' });
      await Promise.all([summaries, others].map((watch) => watch.until(({ changes }) => changes.length === 1)));
      const [item] = summaries.items.slice(-1);
      expect(summaries.changes[0]?.agent).toMatchObject({ version: '2.0.0', capabilities: SUMMARISED });
      expect(item?.json.length).toBeLessThan(2000);
      expect(others.items.at(-1)).toBe(item);
    });
  });
}
