// Whose a name is, on every store: a join token for some roles or names reaches free names, and those that it has registered.
import type { CreateTokenInput } from '@hypercode/contracts';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { INCARNATIONS } from '../../test/agents/sample-agents.ts';
import { ADMIN, codeOf, type Replicas, type Swarm } from '../../test/swarm.ts';
import type { Principal } from '../../src/tokens/principal.ts';

const [FIRST, SECOND, THIRD] = INCARNATIONS;

async function joinToken(swarm: Swarm, input: Partial<CreateTokenInput> = {}): Promise<Principal> {
  const { namespace, registry } = swarm;
  const { token } = await registry.tokens.create({ namespace, kind: 'join', name: 'a join token', ...input }, ADMIN);
  return swarm.recognise(token);
}

const coders = { roles: ['worker'] };

/** Makes the store forget who registered the agents, as a release that did not note it. */
const forgetOwners = ({ namespace, replica }: Swarm) =>
  sql`update agents set registered_by = null where namespace = ${namespace}`.execute(replica.database.kysely);

export function ownersSuite(replicas: Replicas): void {
  describe('a name that a limited join token has registered', () => {
    it('is for that token, through new processes and on every replica, and for no other limited token', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      const [own, other, named] = [
        await joinToken(swarm, coders),
        await joinToken(swarm, coders),
        await joinToken(swarm, { names: ['*'] }),
      ];
      expect(await swarm.register('ada', { incarnation: FIRST }, own)).toMatchObject({ outcome: 'created' });
      expect(await there.register('ada', { incarnation: FIRST }, own)).toMatchObject({ outcome: 'unchanged' });
      for (const stranger of [other, named]) {
        for (const incarnation of [FIRST, SECOND]) {
          expect(await codeOf(there.register('ada', { incarnation }, stranger))).toBe('FORBIDDEN');
        }
      }
      const { token = '' } = await there.register('ada', { incarnation: SECOND }, own);
      expect(await there.recognise(token)).toMatchObject({ incarnation: SECOND });
      // A superseded process learns no more through the token of another than a new one.
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }, other))).toBe('FORBIDDEN');
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }, own))).toBe('FENCED');
    });

    it('is free for another once its agent was removed', async () => {
      const swarm = await replicas.swarm();
      const [own, other] = [await joinToken(swarm, coders), await joinToken(swarm, coders)];
      await swarm.register('ada', {}, own);
      await swarm.deregister('ada');
      expect(await swarm.register('ada', {}, other)).toMatchObject({ outcome: 'created' });
      expect(await codeOf(swarm.register('ada', {}, own))).toBe('FORBIDDEN');
    });

    it('is taken over by a token for all roles and names, and stays with its own', async () => {
      const swarm = await replicas.swarm();
      const [own, all] = [await joinToken(swarm, coders), await joinToken(swarm)];
      await swarm.register('ada', { incarnation: FIRST }, own);
      for (const by of [all, ADMIN])
        expect(await swarm.register('ada', { version: by.kind === 'admin' ? '2.0.0' : '3.0.0' }, by)).toHaveProperty(
          'token',
        );
      expect(await swarm.register('ada', { incarnation: SECOND }, all)).toMatchObject({ outcome: 'updated' });
      expect(await swarm.register('ada', { incarnation: THIRD }, own)).toMatchObject({ outcome: 'updated' });
    });

    it('goes to one of two limited tokens that register it at once', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      const tokens = [await joinToken(swarm, coders), await joinToken(swarm, coders)];
      for (const name of ['a', 'b', 'c', 'd']) {
        const codes = await Promise.all(
          tokens.flatMap((by, index) =>
            [swarm, there].map(async (at) => [index, await codeOf(at.register(name, {}, by))] as const),
          ),
        );
        const winners = new Set(codes.flatMap(([index, code]) => (code === 'no refusal' ? [index] : [])));
        expect(winners.size).toBe(1);
        expect(codes.filter(([, code]) => code === 'FORBIDDEN')).toHaveLength(2);
      }
    });
  });

  describe('a name that a limited join token did not register', () => {
    it('is out of its reach when a token for all roles and names registered it', async () => {
      const swarm = await replicas.swarm();
      await swarm.register('ada', { incarnation: FIRST }, await joinToken(swarm));
      await swarm.register('eve');
      const limited = await joinToken(swarm, coders);
      for (const name of ['ada', 'eve']) {
        expect(await codeOf(swarm.register(name, { incarnation: SECOND }, limited))).toBe('FORBIDDEN');
      }
    });

    it('of the release before goes to the first token that registers it again, on any replica', async () => {
      const swarm = await replicas.swarm();
      const there = swarm.on(await replicas.start());
      const tokens = [await joinToken(swarm, coders), await joinToken(swarm, coders)];
      for (const name of ['ada', 'eve', 'bob']) await swarm.register(name, { incarnation: FIRST });
      await forgetOwners(swarm);
      const [own, other] = tokens as [Principal, Principal];
      // The same registration again writes nothing but the owner.
      expect(await swarm.register('ada', { incarnation: FIRST }, own)).toMatchObject({ outcome: 'unchanged' });
      expect(await codeOf(there.register('ada', { incarnation: FIRST }, other))).toBe('FORBIDDEN');
      expect(await swarm.register('eve', { incarnation: SECOND }, other)).toMatchObject({ outcome: 'updated' });
      expect(await codeOf(there.register('eve', { incarnation: THIRD }, own))).toBe('FORBIDDEN');
      const codes = await Promise.all(
        tokens.flatMap((by) => [swarm, there].map((at) => codeOf(at.register('bob', { incarnation: FIRST }, by)))),
      );
      expect(codes.toSorted()).toEqual(['FORBIDDEN', 'FORBIDDEN', 'no refusal', 'no refusal']);
    });

    it('takes no use of it', async () => {
      const swarm = await replicas.swarm();
      const limited = await joinToken(swarm, { ...coders, maxUses: 2 });
      await swarm.register('ada');
      expect(await codeOf(swarm.register('ada', { incarnation: FIRST }, limited))).toBe('FORBIDDEN');
      const listed = (await swarm.registry.tokens.list(swarm.namespace)).find(({ id }) => id === limited.id);
      expect(listed).toMatchObject({ uses: 0, maxUses: 2 });
    });
  });
}
