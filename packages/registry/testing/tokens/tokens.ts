// Who holds a token, on every store: on the replica that made it and on the others, until it ends.
import { type CreateTokenInput, SwarmError } from '@hypercode/contracts';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { ADMIN, codeOf, heldClock, type Replicas, type Swarm, until } from '../../test/swarm.ts';
import type { JoinPrincipal } from '../../src/tokens/principal.ts';

const UNKNOWN = `swagent_${'x'.repeat(43)}`;

const create = (swarm: Swarm, input: Partial<CreateTokenInput> & Pick<CreateTokenInput, 'kind'>) =>
  swarm.registry.tokens.create({ namespace: swarm.namespace, name: 'token', ...input }, ADMIN);

/** The tokens of the namespace, without those of admins, which are in every list. */
const listOwn = async ({ registry, namespace }: Swarm) =>
  (await registry.tokens.list(namespace)).filter((token) => token.namespace === namespace);

async function joinToken(swarm: Swarm, input: Partial<CreateTokenInput>): Promise<JoinPrincipal> {
  const { token } = await create(swarm, { kind: 'join', ...input });
  const principal = await swarm.recognise(token);
  if (principal.kind !== 'join') throw new Error(`a join token is taken for one of kind ${principal.kind}`);
  return principal;
}

export function tokensSuite(replicas: Replicas): void {
  describe('a token', () => {
    it('of an agent stands for it, on every replica at once', async () => {
      const swarm = await replicas.swarm();
      const { agent, token = '' } = await swarm.register('ada');
      const expected = {
        kind: 'agent',
        name: 'ada',
        agentId: agent.id,
        role: 'worker',
        incarnation: null,
      };
      expect(await swarm.recognise(token)).toMatchObject(expected);
      expect(await swarm.on(await replicas.start({ deaf: true })).recognise(token)).toMatchObject(expected);
    });

    it('that was never created is unknown', async () => {
      const swarm = await replicas.swarm();
      for (const token of [UNKNOWN, '', 'swagent_', 'Bearer', "' or 1=1 --", '\0', `swadm_${'x'.repeat(43)}`]) {
        expect(await codeOf(swarm.recognise(token))).toBe('UNAUTHENTICATED');
      }
    });

    it('of the configuration is in no table', async () => {
      const principal = { kind: 'viewer', id: 'static', name: 'static', namespace: null } as const;
      const swarm = await replicas.swarm({ staticTokens: [{ token: 'in the open', principal }] });
      expect(await swarm.recognise('in the open')).toBe(principal);
      expect(await codeOf(swarm.recognise('in the open '))).toBe('UNAUTHENTICATED');
    });

    it('of an operator or admin has a name of its own where it can speak', async () => {
      const swarm = await replicas.swarm();
      const [name, elsewhere] = [`ops ${swarm.namespace}`, `${swarm.namespace}-b`];
      await create(swarm, { kind: 'operator', name });
      expect(await codeOf(create(swarm, { kind: 'operator', name }))).toBe('CONFLICT');
      expect(await codeOf(create(swarm, { kind: 'admin', name, namespace: elsewhere }))).toBe('CONFLICT');
      // Neither a viewer nor a join token publishes, and an operator of another namespace is another source.
      await create(swarm, { kind: 'viewer', name });
      await create(swarm, { kind: 'join', name });
      await create(swarm, { kind: 'operator', name, namespace: elsewhere });
      const both = Array.from({ length: 4 }, () => create(swarm, { kind: 'operator', name: 'at once' }));
      const codes = await Promise.all(
        both.map((made) =>
          made.then(
            () => null,
            (error: unknown) => SwarmError.from(error).code,
          ),
        ),
      );
      expect(codes.filter((code) => code === 'CONFLICT')).toHaveLength(3);
      expect(codes).toContain(null);
    });

    it('may have the name of the token of an admin of the configuration no more than that of another', async () => {
      const principal = { kind: 'admin', id: 'static', name: 'root of all' } as const;
      const swarm = await replicas.swarm({ staticTokens: [{ token: 'in the open', principal }] });
      expect(await codeOf(create(swarm, { kind: 'operator', name: principal.name }))).toBe('CONFLICT');
    });

    it('takes the name of one that ended after a rest', async () => {
      const swarm = await replicas.swarm({ tokenNameRestMs: 3_600_000 });
      const sooner = await replicas.swarm({ tokenNameRestMs: 0 });
      const [revoked, expired] = [`revoked ${swarm.namespace}`, `expired ${swarm.namespace}`];
      const { id } = await create(swarm, { kind: 'operator', name: revoked });
      await swarm.registry.tokens.revoke(swarm.namespace, id, ADMIN);
      expect(await codeOf(create(swarm, { kind: 'operator', name: revoked }))).toBe('CONFLICT');
      await create(swarm, { kind: 'operator', name: expired, expiresInMs: 1 });
      await until(async () => {
        await swarm.registry.retention.apply();
        expect(await listOwn(swarm)).toEqual([]);
      });
      expect(await codeOf(create(swarm, { kind: 'operator', name: expired }))).toBe('CONFLICT');
      for (const name of [revoked, expired])
        expect(
          await sooner.registry.tokens.create({ namespace: swarm.namespace, kind: 'operator', name }, ADMIN),
        ).toHaveProperty('id');
    });

    it('of an operator carries its scope, and is listed without its secret', async () => {
      const swarm = await replicas.swarm();
      const tokens = [
        await create(swarm, { kind: 'admin', name: `root ${swarm.namespace}` }),
        await create(swarm, { kind: 'viewer', name: 'eyes' }),
        await create(swarm, { kind: 'join', name: 'all' }),
        await create(swarm, { kind: 'join', name: 'some', roles: ['coder'], maxUses: 3, expiresInMs: 60_000 }),
      ];
      const principals = await Promise.all(tokens.map(({ token }) => swarm.recognise(token)));
      const { namespace } = swarm;
      expect(principals).toEqual([
        { kind: 'admin', id: tokens[0]?.id, name: `root ${namespace}` },
        { kind: 'viewer', id: tokens[1]?.id, name: 'eyes', namespace },
        { kind: 'join', id: tokens[2]?.id, name: 'all', namespace, roles: '*', names: null, limited: false },
        { kind: 'join', id: tokens[3]?.id, name: 'some', namespace, roles: ['coder'], names: null, limited: true },
      ]);
      await swarm.register('ada');
      const listed = await swarm.registry.tokens.list(namespace);
      const own = listed.filter((one) => one.namespace === namespace || one.id === tokens[0]?.id);
      expect(own).toHaveLength(4);
      expect(own[0]).toMatchObject({ kind: 'admin', namespace: null });
      expect(own[3]).toEqual({
        id: tokens[3]?.id,
        kind: 'join',
        namespace,
        name: 'some',
        roles: ['coder'],
        names: null,
        createdAt: expect.any(String) as string,
        expiresAt: expect.any(String) as string,
        maxUses: 3,
        uses: 0,
        lastUsedAt: null,
      });
      const stored = JSON.stringify([
        listed,
        await sql`select t::text from tokens t`.execute(swarm.replica.database.kysely),
      ]);
      for (const { token } of tokens) expect(stored).not.toContain(token.slice(-20));
    });

    it('of an admin is listed and revoked in every namespace', async () => {
      const notices: unknown[] = [];
      const swarm = await replicas.swarm({ notices: { tokenChanged: (notice) => notices.push(notice) } });
      const name = `root ${swarm.namespace}`;
      const { id, token } = await create(swarm, { kind: 'admin', name });
      const seen = async (namespace: string) => (await swarm.registry.tokens.list(namespace)).map((one) => one.id);
      for (const namespace of [swarm.namespace, 'elsewhere']) expect(await seen(namespace)).toContain(id);
      await swarm.registry.tokens.revoke('elsewhere', id, { name: 'the other admin' });
      expect(await codeOf(swarm.recognise(token))).toBe('UNAUTHENTICATED');
      for (const namespace of [swarm.namespace, 'elsewhere']) expect(await seen(namespace)).not.toContain(id);
      const made = { kind: 'admin', id, name, namespace: null };
      expect(notices).toMatchObject([
        { change: 'created', namespace: swarm.namespace, by: ADMIN.name, token: made },
        { change: 'revoked', namespace: 'elsewhere', by: 'the other admin', token: made },
      ]);
      expect(JSON.stringify(notices)).not.toContain(token);
    });

    it('ends when it is revoked: here at once, elsewhere within a second, and streams with it', async () => {
      const swarm = await replicas.swarm();
      const elsewhere = [swarm.on(await replicas.start()), swarm.on(await replicas.start({ deaf: true }))];
      const { id, token } = await create(swarm, { kind: 'viewer' });
      const kept = await create(swarm, { kind: 'viewer' });
      const refusals: string[] = [];
      for (const there of [swarm, ...elsewhere]) {
        const identity = await there.registry.identities.recognise(token);
        identity.onEnd(({ code }) => refusals.push(code));
        await there.recognise(kept.token);
      }
      expect(await codeOf(swarm.registry.tokens.revoke('elsewhere', id, ADMIN))).toBe('NOT_FOUND');
      await swarm.registry.tokens.revoke(swarm.namespace, id, ADMIN);
      expect(await codeOf(swarm.registry.tokens.revoke(swarm.namespace, id, ADMIN))).toBe('NOT_FOUND');
      for (const there of [swarm, ...elsewhere]) {
        await until(async () => expect(await codeOf(there.recognise(token))).toBe('UNAUTHENTICATED'), 5000);
        expect(await there.recognise(kept.token)).toMatchObject({ kind: 'viewer' });
      }
      expect(refusals).toEqual(['UNAUTHENTICATED', 'UNAUTHENTICATED', 'UNAUTHENTICATED']);
    });

    it('of an agent cannot be revoked as an operator’s', async () => {
      const swarm = await replicas.swarm();
      const { id } = await swarm.agent(await swarm.join('ada'));
      expect(await codeOf(swarm.registry.tokens.revoke(swarm.namespace, id, ADMIN))).toBe('NOT_FOUND');
    });

    it('ends when it expires, whether it was known or not', async () => {
      const clock = heldClock();
      const swarm = await replicas.swarm({ clock });
      const known = await create(swarm, { kind: 'viewer', expiresInMs: 60_000 });
      const unknown = await create(swarm, { kind: 'viewer', expiresInMs: 60_000 });
      const identity = await swarm.registry.identities.recognise(known.token);
      const ended = new Promise<string>((resolve) => identity.onEnd(({ code }) => resolve(code)));
      clock.jump(61_000);
      await clock.advanceThrough(1000);
      expect(await ended).toBe('UNAUTHENTICATED');
      expect(await codeOf(swarm.recognise(known.token))).toBe('UNAUTHENTICATED');
      expect(await codeOf(swarm.recognise(unknown.token))).toBe('UNAUTHENTICATED');
    });

    it('that has expired is deleted from the store', async () => {
      const swarm = await replicas.swarm();
      await create(swarm, { kind: 'viewer', expiresInMs: 1 });
      await create(swarm, { kind: 'viewer', expiresInMs: 600_000 });
      await until(async () => {
        await swarm.registry.retention.apply();
        expect(await listOwn(swarm)).toHaveLength(1);
      });
    });
  });

  describe('a join token of limited uses', () => {
    const usesOf = async (swarm: Swarm) => (await listOwn(swarm))[0]?.uses;

    it('creates as many agents, however many register at once', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      const by = await joinToken(swarm, { maxUses: 5 });
      const attempts = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? swarm : there).register(`ada-${i}`, {}, by));
      const codes = await Promise.all(attempts.map(codeOf));
      expect(codes.filter((code) => code === 'no refusal')).toHaveLength(5);
      expect(codes.filter((code) => code === 'FORBIDDEN')).toHaveLength(15);
      expect(await swarm.names()).toHaveLength(5);
      expect(await usesOf(swarm)).toBe(5);
    });

    it('is not used by an agent that exists, nor by a registration that fails', async () => {
      const swarm = await replicas.swarm();
      const by = await joinToken(swarm, { maxUses: 2 });
      await swarm.register('ada', {}, by);
      expect(await swarm.register('ada', {}, by)).toMatchObject({ outcome: 'unchanged' });
      expect(await swarm.register('ada', { version: '2.0.0' }, by)).toMatchObject({ outcome: 'updated' });
      expect(await codeOf(swarm.register('ada', { role: 'boss' }, by))).toBe('IMMUTABLE_FIELD');
      const poison = { ...swarm.registration('nul'), description: 'a\0b' };
      expect(await codeOf(swarm.registry.registrations.register(poison, by))).toBe('INVALID_INPUT');
      expect(await usesOf(swarm)).toBe(1);
      await swarm.register('eve', {}, by);
      expect(await codeOf(swarm.register('bob', {}, by))).toBe('FORBIDDEN');
      expect(await swarm.register('ada', { version: '3.0.0' }, by)).toMatchObject({ outcome: 'updated' });
      expect(await usesOf(swarm)).toBe(2);
    });

    it('does not block agents that exist, however many of them register at once', async () => {
      const swarm = await replicas.swarm();
      const by = await joinToken(swarm, { maxUses: 6 });
      const names = Array.from({ length: 5 }, (_, i) => `old-${i}`);
      for (const name of names) await swarm.register(name, {}, by);
      const results = await Promise.all(
        [...names, 'new', ...names].map((name) => swarm.register(name, { version: '2.0.0' }, by)),
      );
      expect(results.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      expect(await usesOf(swarm)).toBe(6);
    });

    it('creates no agent when it is used up, whatever happens meanwhile', async () => {
      const swarm = await replicas.swarm();
      const by = await joinToken(swarm, { maxUses: 1 });
      await swarm.register('ada', {}, by);
      for (let round = 0; round < 10; round += 1) {
        const [again] = await Promise.allSettled([swarm.register('ada', {}, by), swarm.deregister('ada')]);
        if (again.status === 'fulfilled') expect(again.value.outcome).not.toBe('created');
        else expect(again.reason).toMatchObject({ code: 'FORBIDDEN' });
        if ((await swarm.names()).length === 0) await swarm.register('ada');
      }
      expect(await usesOf(swarm)).toBe(1);
    });
  });
}
