// One name, several processes, on every store: the later one wins, the earlier one is fenced and stays fenced.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { INCARNATIONS } from '../../test/agents/sample-agents.ts';
import type { TokenRoles } from '@hypercode/contracts';
import type { Principal } from '../../src/tokens/principal.ts';
import { ADMIN, codeOf, type Replicas, type Swarm, until } from '../../test/swarm.ts';
import type { Schema } from '../../src/schema.ts';

const [FIRST, SECOND, THIRD] = INCARNATIONS;

/** Lets a day pass for the store. */
async function aDayLater({ namespace, replica }: Swarm): Promise<void> {
  const { kysely } = replica.database;
  const past = sql`interval '25 hours'`;
  await sql`update incarnations set superseded_at = superseded_at - ${past}, seen_at = seen_at - ${past}
    where namespace = ${namespace}`.execute(kysely);
  await sql`update tokens set fenced_at = fenced_at - ${past} where namespace = ${namespace}`.execute(kysely);
  await sql`update removed_names set removed_at = removed_at - ${past} where namespace = ${namespace}`.execute(kysely);
}

/** Makes the store believe that the agent has been silent for an hour, and was judged for it. */
async function fallSilent({ namespace, replica }: Swarm, name: string): Promise<void> {
  const health = sql`jsonb_set(doc, '{status,health}', '"unhealthy"')`;
  await sql`update agents set last_seen_at = now() - interval '1 hour', doc = ${health}
    where namespace = ${namespace} and name = ${name}`.execute(replica.database.kysely);
}

const joinFor = (roles: TokenRoles): Principal => ({
  kind: 'join',
  id: 'join',
  name: 'join',
  namespace: 'any',
  roles,
  names: null,
  limited: false,
});

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

    it('that came back to a name that was free for a day is fenced anew when it is superseded again', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST });
      await swarm.register('ada', { incarnation: SECOND });
      await swarm.deregister('ada');
      await aDayLater(swarm);
      expect(await swarm.register('ada', { incarnation: FIRST })).toMatchObject({ outcome: 'created' });
      await swarm.register('ada', { incarnation: THIRD });
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
    });

    it('that was superseded stays fenced as long as the name is registered', async () => {
      const swarm = await replicas.swarm();
      const before = await swarm.join('ada', { incarnation: FIRST });
      const between = await swarm.join('ada', { incarnation: SECOND });
      await swarm.join('ada', { incarnation: THIRD });
      await aDayLater(swarm);
      await swarm.registry.retention.apply();
      const there = swarm.on(await replicas.start());
      for (const token of [before, between]) expect(await codeOf(there.recognise(token))).toBe('FENCED');
      for (const incarnation of [FIRST, SECOND]) {
        expect(await codeOf(there.register('ada', { incarnation }))).toBe('FENCED');
      }
      expect(await there.get('ada')).toMatchObject({ incarnation: THIRD, revision: 3 });
      await swarm.deregister('ada');
      await swarm.registry.retention.apply();
      expect(await codeOf(there.recognise(before))).toBe('FENCED');
      expect(await codeOf(there.register('ada', { incarnation: FIRST }))).toBe('FENCED');
    });

    it('is superseded also by one that names no incarnation, once its agent was removed', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST });
      await swarm.deregister('ada');
      await swarm.register('ada');
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
    });

    it('is deleted from the store once the name was free for a day', async () => {
      const swarm = await replicas.swarm();
      const before = await swarm.join('ada', { incarnation: FIRST });
      await swarm.join('ada', { incarnation: SECOND });
      await swarm.register('eve', { incarnation: FIRST });
      await swarm.deregister('ada');
      await aDayLater(swarm);
      expect(await codeOf(swarm.on(await replicas.start()).recognise(before))).toBe('UNAUTHENTICATED');
      await swarm.registry.retention.apply();
      const kysely = swarm.replica.database.kysely.$extendTables<Schema>();
      const left = (table: 'incarnations' | 'tokens' | 'removed_names') =>
        kysely.selectFrom(table).select('name').where('namespace', '=', swarm.namespace).execute();
      expect(await left('incarnations')).toEqual([{ name: 'eve' }]);
      expect(await left('tokens')).toEqual([{ name: 'eve' }]);
      expect(await left('removed_names')).toEqual([]);
    });

    it.each(['took its name over', 'registered after it was removed'])(
      'is remembered with the newest 1,000 of its name when the next one %s',
      async (next) => {
        const swarm = await replicas.swarm();
        await swarm.register('ada', { incarnation: FIRST });
        const { kysely } = swarm.replica.database;
        await sql`insert into incarnations (namespace, name, incarnation, superseded_at, seen_at)
        select ${swarm.namespace}, 'ada', gen_random_uuid(), now() - i * interval '1 hour', now()
        from generate_series(1, 1200) i`.execute(kysely);
        if (next !== 'took its name over') await swarm.deregister('ada');
        await swarm.register('ada', { incarnation: SECOND });
        const { rows } = await sql`select count(*)::int as n from incarnations
        where namespace = ${swarm.namespace} and superseded_at is not null`.execute(kysely);
        expect(rows).toEqual([{ n: 1000 }]);
        expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
      },
    );

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

  describe('an agent of another role', () => {
    it('replaces a dead one: removed and created in a revision each, and the dead process is fenced', async () => {
      const swarm = await replicas.swarm();
      const { agent, token = '' } = await swarm.register('ada', { incarnation: FIRST });
      await fallSilent(swarm, 'ada');
      const both = joinFor(['worker', 'boss']);
      const results = await Promise.all(
        Array.from({ length: 3 }, () => swarm.register('ada', { role: 'boss', incarnation: SECOND }, both)),
      );
      expect(results.map(({ outcome }) => outcome).toSorted()).toEqual(['created', 'unchanged', 'unchanged']);
      const boss = results[0]?.agent;
      expect(boss).toMatchObject({ role: 'boss', revision: 3, specRevision: 3, incarnation: SECOND });
      expect(boss?.id).not.toBe(agent.id);
      const changes = (await swarm.changesSince(1)).map(({ change, agent: { id } }) => [change, id]);
      expect(changes).toEqual([
        ['deregistered', agent.id],
        ['registered', boss?.id],
      ]);
      expect(await codeOf(swarm.recognise(token))).toBe('UNAUTHENTICATED');
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }))).toBe('FENCED');
    });

    it('does not replace one that is alive, has a stream, or has a role that the token is not for', async () => {
      const swarm = await replicas.swarm();
      const token = await swarm.join('ada', { incarnation: FIRST });
      const as = (roles: TokenRoles) => codeOf(swarm.register('ada', { role: 'boss' }, joinFor(roles)));
      expect(await as('*')).toBe('IMMUTABLE_FIELD');
      await fallSilent(swarm, 'ada');
      // The name is that of another token, so this one is not told the role.
      expect(await as(['boss'])).toBe('FORBIDDEN');
      // A stream that is open on another replica, which notes it as often as it writes signs of life.
      const there = await replicas.start({ leaseMs: 1_200 });
      const end = (await there.registry.identities.recognise(token)).onEnd(() => {});
      const { database } = swarm.replica;
      await until(async () => {
        const { rows } = await sql`select from agents
          where namespace = ${swarm.namespace} and streaming_at is not null`.execute(database.kysely);
        expect(rows).toHaveLength(1);
      });
      expect(await as('*')).toBe('IMMUTABLE_FIELD');
      end();
      await there.close();
      expect(await swarm.get('ada')).toMatchObject({ role: 'worker' });
    });

    it('takes a use of a limited token for the agent that it makes', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST });
      await fallSilent(swarm, 'ada');
      const { namespace } = swarm;
      const { token } = await swarm.registry.tokens.create(
        { namespace, kind: 'join', name: 'once', maxUses: 1 },
        ADMIN,
      );
      const by = await swarm.recognise(token);
      expect(await swarm.register('ada', { role: 'boss' }, by)).toMatchObject({ outcome: 'created' });
      await fallSilent(swarm, 'ada');
      expect(await codeOf(swarm.register('ada', { role: 'worker' }, by))).toBe('FORBIDDEN');
      expect(await swarm.get('ada')).toMatchObject({ role: 'boss' });
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
