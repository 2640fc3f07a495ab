// Beside a core of the release before, which knows neither leases of agents nor notes: what it writes, and who judges.
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { DUTY_MS } from '../../src/liveness/judge.ts';
import type { Swarm } from '../../test/swarm.ts';
import { CHECK_MS, type LivenessFixture } from './fixture.ts';

/** As that release commits a change of an agent: a document without the fields that it does not know. */
async function commitAsBefore({ replica, namespace }: Swarm, name: string, activity: string): Promise<void> {
  await sql`select * from commit_writes(${namespace}, (
    select jsonb_build_array(jsonb_build_object('ord', 0, 'name', name, 'id', id, 'expected', revision, 'change', 'status',
      'doc', jsonb_set(doc - 'leaseMs', '{status}',
        (doc -> 'status') - 'note' - 'activitySince' || jsonb_build_object('activity', ${activity}::text)),
      'spec', false, 'seen', true, 'facets', '[]'::jsonb, 'words', '[]'::jsonb, 'incarnation', incarnation,
      'tokens', '[]'::jsonb))
    from agents where namespace = ${namespace} and name = ${name}), true)`.execute(replica.database.kysely);
}

export function releaseBeforeSuite({ time, replicas, settings, startHealthy, statusOf }: LivenessFixture): void {
  describe('a core of the release before', () => {
    it('leaves the lease and the note of an agent, and the time of its activity, when it writes the agent', async () => {
      const swarm = await replicas.swarm(settings());
      const token = await swarm.join('ada', { leaseMs: 600_000 });
      const report = { activity: 'waiting', note: 'for an answer' } as const;
      await swarm.registry.heartbeats.renew(await swarm.agent(token), report);
      const before = await swarm.get('ada');
      await time.advance(5000);
      await commitAsBefore(swarm, 'ada', 'waiting');
      const { activitySince } = before.status;
      expect(await swarm.get('ada')).toMatchObject({ leaseMs: 600_000, status: { ...report, activitySince } });
      await commitAsBefore(swarm, 'ada', 'busy');
      const after = await swarm.get('ada');
      expect(after).toMatchObject({ leaseMs: 600_000, status: { activity: 'busy', note: 'for an answer' } });
      expect(after.status.activitySince).toBe(after.updatedAt);
    });

    it('does not judge beside one of this release, whichever took the duty first', async () => {
      const swarm = await replicas.swarm(settings());
      const { kysely } = swarm.replica.database;
      const holder = crypto.randomUUID();
      /** As that release takes the duty, or renews it. Whether it has it. */
      const takeAsBefore = async (): Promise<boolean> => {
        const { rows } = await sql`insert into duties as d (duty, holder, until)
          values ('liveness', ${holder}, now() + ${DUTY_MS} * interval '1 millisecond')
          on conflict (duty) do update set holder = excluded.holder, until = excluded.until
            where d.holder = excluded.holder or d.until < now()
          returning holder`.execute(kysely);
        return rows.length === 1;
      };
      await startHealthy(swarm, ['ada']);
      expect(await takeAsBefore()).toBe(false);
      await sql`update duties set until = now() - interval '1 second'`.execute(kysely);
      expect(await takeAsBefore()).toBe(true);
      await time.advance(CHECK_MS);
      expect(await takeAsBefore()).toBe(false);
      expect(await statusOf(swarm, 'ada')).toMatchObject({ health: 'healthy' });
    });
  });
}
