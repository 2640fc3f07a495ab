// One name, several processes, on every store: the later one wins, the earlier one is fenced and stays fenced.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { INCARNATIONS } from '../../test/agents/sample-agents.ts';
import { codeOf, type Replicas, type Swarm, until } from '../../test/swarm.ts';
import type { Schema } from '../../src/schema.ts';

const [FIRST, SECOND, THIRD] = INCARNATIONS;

/** Lets a day pass for the store. */
async function aDayLater({ namespace, replica }: Swarm): Promise<void> {
  const { kysely } = replica.database;
  const past = sql`interval '25 hours'`;
  await sql`update incarnations set superseded_at = superseded_at - ${past}, seen_at = seen_at - ${past}
    where namespace = ${namespace}`.execute(kysely);
  await sql`update tokens set fenced_at = fenced_at - ${past} where namespace = ${namespace}`.execute(kysely);
}

export function incarnationsSuite(replicas: Replicas): void {
  describe('a process', () => {
    it('that registers again gets a further token, and the earlier ones stay good', async () => {
      const swarm = await replicas.swarm();
      const tokens = [
        await swarm.join('ada', { incarnation: FIRST }),
        await swarm.join('ada', { incarnation: FIRST }),
        await swarm.join('ada'),
        await swarm.join('ada', { incarnation: FIRST, version: '2.0.0' }),
      ];
      expect(new Set(tokens).size).toBe(4);
      for (const there of [swarm, swarm.on(await replicas.start())]) {
        for (const token of tokens) expect(await there.recognise(token)).toMatchObject({ incarnation: FIRST });
      }
    });

    it('that is new takes over, and the one before is fenced on every replica', async () => {
      const swarm = await replicas.swarm();
      const elsewhere = [swarm.on(await replicas.start()), swarm.on(await replicas.start({ deaf: true }))];
      const { agent, token: before = '' } = await swarm.register('ada', { incarnation: FIRST });
      const ended: string[] = [];
      for (const there of [swarm, ...elsewhere]) {
        (await there.registry.identities.recognise(before)).onEnd(({ code }) => ended.push(code));
      }
      const { outcome, agent: after, token = '' } = await swarm.register('ada', { incarnation: SECOND });
      expect(outcome).toBe('updated');
      expect(after).toMatchObject({ id: agent.id, incarnation: SECOND, specRevision: 2 });
      expect(await codeOf(swarm.recognise(before))).toBe('FENCED');
      for (const there of elsewhere) {
        await until(async () => expect(await codeOf(there.recognise(before))).toBe('FENCED'), 5000);
      }
      expect(ended).toEqual(['FENCED', 'FENCED', 'FENCED']);
      for (const there of [swarm, ...elsewhere])
        expect(await there.recognise(token)).toMatchObject({ incarnation: SECOND });
      // A replica that never knew the token says the same.
      expect(await codeOf(swarm.on(await replicas.start()).recognise(before))).toBe('FENCED');
    });

    it('that was superseded is refused, and neither ping-pongs', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      await swarm.register('ada', { incarnation: FIRST });
      await there.register('ada', { incarnation: SECOND });
      for (const at of [swarm, there]) expect(await codeOf(at.register('ada', { incarnation: FIRST }))).toBe('FENCED');
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST, role: 'boss' }))).toBe('FENCED');
      expect(await swarm.register('ada', { incarnation: SECOND })).toMatchObject({ outcome: 'unchanged' });
      expect(await swarm.get('ada')).toMatchObject({ incarnation: SECOND, revision: 2 });
      await there.register('ada', { incarnation: THIRD });
      for (const gone of [FIRST, SECOND]) {
        expect(await codeOf(swarm.register('ada', { incarnation: gone }))).toBe('FENCED');
      }
      // Another name may have had a process of the same incarnation.
      expect(await swarm.register('eve', { incarnation: FIRST })).toMatchObject({ outcome: 'created' });
    });

    it('that was superseded is refused also after the agent was removed', async () => {
      const swarm = await replicas.swarm();
      const before = await swarm.join('ada', { incarnation: FIRST });
      const last = await swarm.join('ada', { incarnation: SECOND });
      await swarm.deregister('ada');
      expect(await codeOf(swarm.recognise(before))).toBe('FENCED');
      expect(await codeOf(swarm.recognise(last))).toBe('UNAUTHENTICATED');
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
      await swarm.registry.retention.apply();
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
      expect(await codeOf(swarm.on(await replicas.start()).recognise(before))).toBe('FENCED');
      expect(await swarm.register('ada', { incarnation: SECOND })).toMatchObject({ outcome: 'created' });
    });

    it('that is superseded while the name is free is refused as well', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST });
      await swarm.deregister('ada');
      await swarm.register('ada', { incarnation: SECOND });
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
    });

    it('is remembered for a day after its agent went, however long ago it came', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST });
      await aDayLater(swarm);
      await swarm.deregister('ada');
      await swarm.registry.retention.apply();
      await swarm.register('ada', { incarnation: SECOND });
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
    });

    it('that came back after a day is fenced anew when it is superseded again', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST });
      await swarm.register('ada', { incarnation: SECOND });
      await aDayLater(swarm);
      await swarm.register('ada', { incarnation: FIRST });
      await swarm.register('ada', { incarnation: THIRD });
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
    });

    it('is remembered for a day after it was superseded', async () => {
      const swarm = await replicas.swarm();
      const before = await swarm.join('ada', { incarnation: FIRST });
      await swarm.join('ada', { incarnation: SECOND });
      await aDayLater(swarm);
      const there = swarm.on(await replicas.start());
      expect(await codeOf(there.recognise(before))).toBe('UNAUTHENTICATED');
      expect(await there.register('ada', { incarnation: FIRST })).toMatchObject({ outcome: 'updated' });
      expect(await codeOf(there.register('ada', { incarnation: SECOND }))).toBe('FENCED');
    });

    it('is deleted from the store after that, but for the current one', async () => {
      const swarm = await replicas.swarm();
      await swarm.join('ada', { incarnation: FIRST });
      await swarm.join('ada', { incarnation: SECOND });
      await aDayLater(swarm);
      await swarm.registry.retention.apply();
      const kysely = swarm.replica.database.kysely.$extendTables<Schema>();
      const left = (table: 'incarnations' | 'tokens') =>
        kysely.selectFrom(table).select('incarnation').where('namespace', '=', swarm.namespace).execute();
      expect(await left('incarnations')).toEqual([{ incarnation: SECOND }]);
      expect(await left('tokens')).toEqual([{ incarnation: SECOND }]);
    });

    it('is the same however its incarnation is written', async () => {
      const swarm = await replicas.swarm();
      const token = await swarm.join('ada', { incarnation: FIRST.toUpperCase() });
      expect(await swarm.register('ada', { incarnation: FIRST })).toMatchObject({ outcome: 'unchanged' });
      await swarm.recognise(token);
      await swarm.update('ada', { version: '2.0.0' });
      expect(await swarm.recognise(token)).toMatchObject({ incarnation: FIRST });
      expect(await swarm.mirrored(token)).toMatchObject({ revision: 2 });
      await swarm.register('ada', { incarnation: SECOND });
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST.toUpperCase() }))).toBe('FENCED');
    });
  });

  describe('a removed agent', () => {
    it('takes its tokens along: here at once, elsewhere within a second', async () => {
      const swarm = await replicas.swarm();
      const elsewhere = [swarm.on(await replicas.start()), swarm.on(await replicas.start({ deaf: true }))];
      const tokens = [await swarm.join('ada'), await swarm.join('ada')];
      const eve = await swarm.join('eve');
      for (const there of [swarm, ...elsewhere]) for (const token of tokens) await there.recognise(token);
      await swarm.deregister('ada');
      for (const token of tokens) expect(await codeOf(swarm.recognise(token))).toBe('UNAUTHENTICATED');
      for (const there of elsewhere) {
        for (const token of tokens) {
          await until(async () => expect(await codeOf(there.recognise(token))).toBe('UNAUTHENTICATED'), 5000);
        }
        expect(await there.recognise(eve)).toMatchObject({ name: 'eve' });
      }
      await swarm.register('ada');
      for (const token of tokens) expect(await codeOf(swarm.recognise(token))).toBe('UNAUTHENTICATED');
    });

    it('takes them along at once also while the replica is busy reading the log', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      for (let round = 0; round < 20; round += 1) {
        const token = await swarm.join('ada');
        await swarm.recognise(token);
        const noise = there.register(`noise-${round}`);
        await swarm.deregister('ada');
        expect(await codeOf(swarm.recognise(token))).toBe('UNAUTHENTICATED');
        await noise;
      }
    });
  });

  describe('a replica that lags behind the log', () => {
    it('does not end a new token for an earlier change of its agent', async () => {
      const swarm = await replicas.swarm();
      const lagging = swarm.on(await replicas.start({ deaf: true }));
      const probe = await swarm.join('probe');
      for (let round = 0; round < 5; round += 1) {
        const name = `ada-${round}`;
        // Makes the replica follow the namespace, so that it must learn of the next change.
        await lagging.recognise(probe);
        await swarm.register(name, { incarnation: FIRST });
        await swarm.update(name, { version: '1.1.0' });
        const taken = await swarm.join(name, { incarnation: SECOND });
        const identity = await lagging.registry.identities.recognise(taken);
        const removed = `eve-${round}`;
        await swarm.register(removed);
        await swarm.deregister(removed);
        const anew = await lagging.registry.identities.recognise(await swarm.join(removed));
        const watcher = lagging.watch({ filter: { role: 'marker' } });
        await swarm.register(`marker-${round}`, { role: 'marker' });
        await watcher.until(({ agents }) => agents.has(`marker-${round}`));
        expect([identity.refusal, anew.refusal]).toEqual([null, null]);
        expect(await lagging.recognise(taken)).toMatchObject({ incarnation: SECOND });
      }
    });
  });

  describe('tokens of one agent', () => {
    it('are at most a hundred: retention deletes the oldest', async () => {
      const swarm = await replicas.swarm();
      const first = await swarm.join('ada');
      const tokens = await Promise.all(Array.from({ length: 110 }, () => swarm.join('ada')));
      const last = await swarm.join('ada');
      await swarm.join('eve');
      await swarm.registry.retention.apply();
      const { rows } = await sql<{ name: string; count: number }>`
        select name, count(*) from tokens where namespace = ${swarm.namespace} group by name order by name`.execute(
        swarm.replica.database.kysely,
      );
      expect(rows).toEqual([
        { name: 'ada', count: 100 },
        { name: 'eve', count: 1 },
      ]);
      const fresh = swarm.on(await replicas.start());
      expect(await codeOf(fresh.recognise(first))).toBe('UNAUTHENTICATED');
      expect(await fresh.recognise(last)).toMatchObject({ name: 'ada' });
      const codes = await Promise.all(tokens.map((token) => codeOf(fresh.recognise(token))));
      expect(codes.filter((code) => code === 'no refusal')).toHaveLength(99);
    });
  });
}
