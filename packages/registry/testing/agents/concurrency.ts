// Many writers at once, on every store: one record a name, revisions without holes, every answer true.
import { type Agent, SwarmError } from '@hypercode/contracts';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Replicas, Swarm } from '../../test/swarm.ts';

const NAMES = 50;

interface Answer {
  name: string;
  /** What the call did by its own account; `updated?` when an update does not tell. */
  did: 'created' | 'updated' | 'unchanged' | 'deregistered' | 'refused';
  agent: Agent | null;
  code: string | null;
}

/** One call out of a mix; every update and removal carries its own number. */
async function call(swarm: Swarm, number: number): Promise<Answer> {
  const index = number % NAMES;
  const name = `agent-${String(index).padStart(2, '0')}`;
  const kind = (Math.floor(number / NAMES) * 7 + index) % 10;
  try {
    if (kind < 6) {
      const { outcome, agent } = await swarm.register(name, { version: `1.${kind % 2}.0` });
      return { name, did: outcome, agent, code: null };
    }
    if (kind < 9) {
      const agent = await swarm.update(name, { description: `update ${number}` });
      return { name, did: 'updated', agent, code: null };
    }
    return { name, did: 'deregistered', agent: await swarm.deregister(name, `removal ${number}`), code: null };
  } catch (error) {
    return { name, did: 'refused', agent: null, code: SwarmError.from(error).code };
  }
}

export function concurrencySuite(replicas: Replicas): void {
  describe('many writers', () => {
    it('of 50 names leave one record each, a log without holes, and answers that are all in it', async () => {
      const here = await replicas.swarm();
      const there = here.on(await replicas.start());
      const listener = here.watch();
      await listener.synced();
      const answers = await Promise.all(Array.from({ length: 1000 }, (_, i) => call(i % 3 === 0 ? there : here, i)));

      const log = await here.changesSince(0);
      const head = await there.revision();
      expect(log.map(({ revision }) => revision)).toEqual(Array.from({ length: head }, (_, i) => i + 1));

      // The log by itself makes sense, and leads to what the store holds.
      const records = new Map<string, Agent>();
      for (const { change, agent } of log) {
        expect(records.has(agent.name), `${change} ${agent.name}`).toBe(change !== 'registered');
        if (change === 'deregistered') records.delete(agent.name);
        else records.set(agent.name, agent);
      }
      expect(await there.names()).toEqual([...records.keys()].toSorted());

      // Every change belongs to a call, and every answer is in the log.
      const byRevision = new Map(log.map((entry) => [entry.revision, entry]));
      const claimed = new Set<number>();
      const didOf = { registered: 'created', updated: 'updated', deregistered: 'deregistered' } as Record<
        string,
        string
      >;
      for (const { name, did, agent, code } of answers) {
        if (agent === null) {
          expect(code).toBe('NOT_FOUND');
          continue;
        }
        const entry = byRevision.get(agent.revision);
        expect(entry?.agent).toMatchObject({
          name,
          id: agent.id,
          version: agent.version,
          description: agent.description,
        });
        if (did === 'unchanged') continue;
        expect(didOf[entry?.change ?? '']).toBe(did);
        expect(claimed.has(agent.revision)).toBe(false);
        claimed.add(agent.revision);
      }
      expect(claimed.size).toBe(head);
      expect(new Set(answers.map(({ did }) => did)).size).toBe(5);

      await listener.until(({ position }) => position === head);
      expect(listener.changes).toEqual(log);
    });

    it('never show a reader revision N + 1 before N', async () => {
      const here = await replicas.swarm();
      const writers = [here, here.on(await replicas.start())];
      const reader = (await replicas.start()).database.kysely;
      let writing = true;
      const written = Promise.all(
        writers.map(async (swarm, w) => {
          for (let round = 0; round < 25; round += 1) {
            await Promise.all(Array.from({ length: 4 }, (_, i) => swarm.register(`agent-${w}-${round}-${i}`)));
          }
        }),
      ).finally(() => {
        writing = false;
      });
      let cursor = 0;
      let reads = 0;
      while (writing || cursor < 200) {
        const { rows } = await sql<{ revision: number }>`
          select revision from changes where namespace = ${here.namespace} and revision > ${cursor} order by revision`.execute(
          reader,
        );
        for (const { revision } of rows) {
          expect(revision).toBe(cursor + 1);
          cursor = revision;
        }
        reads += 1;
      }
      await written;
      expect(cursor).toBe(200);
      expect(reads).toBeGreaterThan(1);
    });

    it('of one name are all answered', async () => {
      const here = await replicas.swarm();
      const there = here.on(await replicas.start());
      await here.register('ada');
      const updates = Array.from({ length: 30 }, (_, i) =>
        (i % 2 === 0 ? here : there).update('ada', { description: `${i}` }),
      );
      const revisions = (await Promise.all(updates)).map(({ revision }) => revision).toSorted((a, b) => a - b);
      expect(revisions).toEqual(Array.from({ length: 30 }, (_, i) => i + 2));
    });

    it('that know the same registration: one of them succeeds', async () => {
      const here = await replicas.swarm();
      const there = here.on(await replicas.start());
      await here.register('ada');
      const updates = Array.from({ length: 10 }, (_, i) =>
        (i % 2 === 0 ? here : there).update('ada', { description: `${i}` }, 1),
      );
      const settled = await Promise.allSettled(updates);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of settled)
        if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'CONFLICT' });
      expect(await here.revision()).toBe(2);
    });
  });
}
