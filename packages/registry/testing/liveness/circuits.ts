// Circuits on every store: what opens and closes them, and how their changes are delivered.
import { SwarmError } from '@hypercode/contracts';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { freshCircuit, freshMemory } from '../../src/documents/liveness-memory.ts';
import { OUTBOX_CLAIM_MS, OUTBOX_POLL_MS } from '../../src/liveness/circuit-outbox.ts';
import { codeOf, type Swarm, until } from '../../test/swarm.ts';
import { LEASE_MS, CHECK_MS, OPEN_MS, STEP_MS, FIRST, SECOND, Receiver, type LivenessFixture } from './fixture.ts';

export function circuitsSuite({
  replicas,
  time,
  settings,
  sendHeartbeat,
  startHealthy,
  statusOf,
  untilStatus,
  showCircuit,
  receivingSwarm,
}: LivenessFixture): void {
  describe('a circuit', () => {
    it('is tripped by an operator until it is reset, whatever the heartbeats', async () => {
      const swarm = await replicas.swarm(settings());
      await startHealthy(swarm, ['ada']);
      const { namespace } = swarm;
      const tripped = await swarm.registry.circuits.trip({ namespace, name: 'ada', reason: 'runaway' });
      expect(tripped.status).toMatchObject({ circuit: 'open', reason: 'runaway' });
      await time.advance(10 * OPEN_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'open', health: 'healthy' });
      expect((await swarm.registry.circuits.reset({ namespace, name: 'ada' })).status).toMatchObject({
        circuit: 'closed',
      });
      expect(await codeOf(swarm.registry.circuits.trip({ namespace, name: 'nobody' }))).toBe('NOT_FOUND');
    });

    it('opens, and is tried again, in half a second, however long the lease is', async () => {
      const swarm = await replicas.swarm(settings({ leaseMs: 60_000 }));
      await sendHeartbeat(swarm, await swarm.join('ada'));
      // Between two checks of all agents.
      await time.advance(1000);
      const { id, incarnation, status } = await swarm.get('ada');
      const successAt = Date.parse(status.lastSeenAt ?? '');
      const memory = { ...freshMemory(id, incarnation), circuit: { ...freshCircuit, failures: 4 }, successAt };
      await sql`update agents set liveness = ${JSON.stringify(memory)}::jsonb where id = ${id}`.execute(
        swarm.replica.database.kysely,
      );
      await time.advance(500);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'open', consecutiveFailures: 4 });
      await time.advance(OPEN_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'half_open' });
    });

    it('is shown as it is remembered, also after a process that was stopped has shown another', async () => {
      const swarm = await replicas.swarm(settings());
      await startHealthy(swarm, ['ada']);
      await showCircuit(swarm, 'ada', 'half_open');
      await time.advance(5000 + STEP_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', health: 'healthy' });
    });

    it('that failures opened is that of the process: it stays with a registration of the same one, and with no other', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.join('ada', { incarnation: FIRST });
      // No heartbeat comes, so nothing but another process closes it.
      await time.advance(5 * LEASE_MS);
      await untilStatus(swarm, 'ada', { circuit: 'half_open' });
      await swarm.join('ada', { incarnation: FIRST, version: '2.0.0' });
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'half_open' });
      await swarm.join('ada', { incarnation: SECOND });
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
      // Nor does the memory of the one before come back with the next check.
      await time.advance(CHECK_MS);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
    });
  });

  describe('a change of a circuit', () => {
    const trip = (swarm: Swarm, name: string) => swarm.registry.circuits.trip({ namespace: swarm.namespace, name });

    it('is delivered once, by one replica, in the order of commits', async () => {
      const receiver = new Receiver();
      const swarm = await receivingSwarm(receiver);
      const another = new Receiver(swarm.namespace);
      const there = swarm.on(await replicas.start(settings({ notices: another })));
      const delivered = () => [...receiver.delivered, ...another.delivered];
      await swarm.register('ada');
      const { revision } = await trip(swarm, 'ada');
      await until(() => expect(delivered()).toEqual([`ada open ${revision}`]));
      await trip(there, 'ada');
      const reset = await there.registry.circuits.reset({ namespace: swarm.namespace, name: 'ada' });
      await until(() => expect(delivered()).toContain(`ada closed ${reset.revision}`));
      await time.advance(2 * OUTBOX_CLAIM_MS);
      expect(delivered()).toHaveLength(2);
    });

    it('is delivered by another replica when the one that committed it does not', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.register('ada');
      const { revision } = await trip(swarm, 'ada');
      const receiver = new Receiver(swarm.namespace);
      await replicas.start(settings({ notices: receiver }));
      await until(() => expect(receiver.delivered).toEqual([`ada open ${revision}`]));
    });

    it('is delivered again after a failure, until it is taken or no retry can help', async () => {
      const receiver = new Receiver();
      const swarm = await receivingSwarm(receiver);
      receiver.refusal = new SwarmError('UNAVAILABLE', 'the bus is unavailable');
      await swarm.register('ada');
      await trip(swarm, 'ada');
      await until(() => expect(receiver.delivered).toHaveLength(1));
      await time.advance(OUTBOX_CLAIM_MS - 1);
      expect(receiver.delivered).toHaveLength(1);
      await time.advance(OUTBOX_POLL_MS);
      expect(receiver.delivered).toHaveLength(2);
      receiver.refusal = new SwarmError('INVALID_INPUT', 'this is never taken');
      await time.advance(OUTBOX_CLAIM_MS + OUTBOX_POLL_MS);
      expect(receiver.delivered).toHaveLength(3);
      await time.advance(10 * OUTBOX_CLAIM_MS);
      expect(receiver.delivered).toHaveLength(3);
    });

    it('is deleted after a day when no replica delivers it', async () => {
      const swarm = await replicas.swarm(settings());
      await swarm.register('ada');
      await trip(swarm, 'ada');
      await swarm.replica.close();
      await time.advance(86_400_001);
      await replicas.start(settings());
      // Until it applies retention by itself.
      await time.advance(37_500);
      const receiver = new Receiver(swarm.namespace);
      await replicas.start(settings({ notices: receiver }));
      await time.advance(OUTBOX_POLL_MS);
      expect(receiver.delivered).toEqual([]);
    });
  });
}
