// Trips by operators on every store: they belong to the name.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { freshCircuit, freshMemory } from '../../src/documents/liveness-memory.ts';
import { codeOf, type Swarm } from '../../test/swarm.ts';
import { LEASE_MS, CHECK_MS, OPEN_MS, STEP_MS, FIRST, SECOND, LIVENESS, type LivenessFixture } from './fixture.ts';

export function tripsSuite({
  replicas,
  time,
  settings,
  startHeartbeats,
  statusOf,
  movingUntil,
  shownOf,
}: LivenessFixture): void {
  describe('a trip', () => {
    const open = { circuit: 'open', circuitOpenUntil: null, reason: 'runaway' };
    const trip = ({ registry, namespace }: Swarm, name: string) =>
      registry.circuits.trip({ namespace, name, reason: 'runaway' });
    const reset = ({ registry, namespace }: Swarm, name: string) => registry.circuits.reset({ namespace, name });

    it('holds for new processes and new agents of the name from their first moment, until its reset', async () => {
      const swarm = await replicas.swarm(settings());
      const there = swarm.on(await replicas.start(settings()));
      await swarm.join('ada', { incarnation: FIRST });
      await trip(swarm, 'ada');
      const mirrored = { circuit: 'open', circuitReason: 'runaway' };
      let newest = '';
      const begin = async (by: string, more: object) => {
        const { agent, token } = await there.register('ada', more);
        expect({ by, ...agent.status }).toMatchObject({ by, ...open });
        // Where it registered, and where its token is looked up.
        expect({ by, ...(await there.mirrored(token ?? '')) }).toMatchObject({ by, ...mirrored });
        expect({ by, ...(await swarm.mirrored(token ?? '')) }).toMatchObject({ by, ...mirrored });
        newest = token ?? '';
      };
      await begin('a new incarnation', { incarnation: SECOND });
      await begin('a registration that changes something', { incarnation: SECOND, version: '2.0.0' });
      await swarm.deregister('ada');
      await begin('an agent that is created again', { incarnation: crypto.randomUUID() });
      await swarm.deregister('ada');
      await begin('an agent of another role', { role: 'qa' });
      // Neither heartbeats nor time end it.
      await startHeartbeats(swarm, newest);
      await time.advance(10 * OPEN_MS + 5000);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ ...open, health: 'healthy' });
      const shown = (await shownOf(swarm, 'ada')).slice(0, -1).map(({ circuit }) => circuit);
      expect(new Set(shown)).toEqual(new Set(['open']));

      expect((await reset(swarm, 'ada')).status).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
      expect((await swarm.register('ada', { role: 'qa', version: '2.0.0' })).agent.status.circuit).toBe('closed');
      await time.advance(CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed' });
    });

    it('holds after the agent has expired, and is taken back while no agent has the name', async () => {
      const expireAfterMs = 3 * LEASE_MS;
      const swarm = await replicas.swarm(settings({ liveness: { ...LIVENESS, expireAfterMs } }));
      const { agent } = await swarm.register('ada');
      await trip(swarm, 'ada');
      await time.advance(expireAfterMs + CHECK_MS);
      await movingUntil(async () => expect(await codeOf(swarm.get('ada'))).toBe('NOT_FOUND'));
      expect((await swarm.register('ada')).agent.status).toMatchObject(open);
      await swarm.deregister('ada');

      expect((await trip(swarm, 'ada')).status).toMatchObject(open);
      expect(await reset(swarm, 'ada')).toMatchObject({ id: agent.id, name: 'ada', status: { circuit: 'closed' } });
      expect(await codeOf(reset(swarm, 'ada'))).toBe('NOT_FOUND');
      expect((await swarm.register('ada')).agent.status).toMatchObject({ circuit: 'closed', reason: null });
    });

    it('is known to every registration that is answered after it, however many run at the same time', async () => {
      const swarm = await replicas.swarm(settings());
      const there = swarm.on(await replicas.start(settings()));
      for (let round = 0; round < 5; round += 1) {
        const name = `ada-${round}`;
        await swarm.register(name);
        let tripped = false;
        const registrations = Array.from({ length: 20 }, async (_, i) => {
          const isBegunAfter = tripped;
          if (i % 5 === 4) await there.deregister(name).catch(() => undefined);
          const { agent } = await (i % 2 === 0 ? swarm : there).register(name, { incarnation: crypto.randomUUID() });
          if (isBegunAfter) expect(agent.status).toMatchObject(open);
        });
        await trip(swarm, name).then(
          () => (tripped = true),
          (error: unknown) => expect(error).toMatchObject({ code: 'NOT_FOUND' }),
        );
        await Promise.all(registrations);
        if (!tripped) continue;
        expect(await statusOf(swarm, name)).toMatchObject(open);
        await swarm.deregister(name);
        expect((await there.register(name)).agent.status).toMatchObject(open);
      }
    });

    it('is shown soon where a replica of a release without such trips has registered the agent', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.join('ada', { incarnation: FIRST });
      await trip(swarm, 'ada');
      await sql`update agents set incarnation = ${SECOND}, liveness = null, doc = jsonb_set(jsonb_set(doc, '{status,circuit}', '"closed"'),
        '{incarnation}', to_jsonb(${SECOND}::text)) where namespace = ${swarm.namespace} and name = 'ada'`.execute(
        swarm.replica.database.kysely,
      );
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed' });
      await time.advance(500);
      expect(await statusOf(swarm, 'ada')).toMatchObject(open);
    });
  });

  describe('a trip by a replica of a release without trips by name', () => {
    it('is kept by name soon', async () => {
      const swarm = await replicas.swarm(settings());
      const { agent } = await swarm.register('ada', { incarnation: FIRST });
      const circuit = { ...freshCircuit, circuit: 'open', tripped: true, reason: 'runaway' } as const;
      const memory = { ...freshMemory(agent.id, FIRST), circuit };
      await sql`update agents set liveness = ${JSON.stringify(memory)}::jsonb where id = ${agent.id}`.execute(
        swarm.replica.database.kysely,
      );
      await time.advance(5000 + STEP_MS);
      const { status } = (await swarm.register('ada', { incarnation: SECOND })).agent;
      expect(status).toMatchObject({ circuit: 'open', circuitOpenUntil: null, reason: 'runaway' });
      await swarm.registry.circuits.reset({ namespace: swarm.namespace, name: 'ada' });
      await time.advance(5000 + STEP_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed' });
    });
  });
}
