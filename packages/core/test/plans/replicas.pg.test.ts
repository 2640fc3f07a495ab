// Goals and plans on two cores of one database: what one has taken, the other knows at once.
import { freshDatabase } from '@hypercode/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore } from '../../testing/core.ts';
import { swarmOn } from './goal-events.ts';

test(
  'a plan is read and retried at one core right after its events were published at the other',
  async () => {
    const databaseUrl = await freshDatabase();
    const adminToken = 'the-admin-token';
    const cores = await Promise.all([0, 1].map(() => startTestCore({ databaseUrl, adminToken })));
    onTestFinished(async () => void (await Promise.all(cores.map((core) => core.close()))));
    const [here, there] = cores.map((core) => swarmOn(core, 'shared'));
    if (here === undefined || there === undefined) throw new Error('two cores were started');
    await there.call('/v1/plans');
    for (let n = 0; n < 3; n += 1) {
      const ids = await here.submit();
      const { planId, goalId } = ids;
      expect((await there.call(`/v1/plans/${planId}`)).body).toMatchObject({ planId });
      await here.create(ids, ['a']);
      await here.publish('plan.failed', { planId, goalId, reason: 'no agent' });
      const retried = await there.call(`/v1/plans/${planId}/retry`, { method: 'POST' });
      expect(retried.status).toBe(202);
      expect((await here.call(`/v1/plans/${planId}/retry`, { method: 'POST' })).body.eventId).toBe(
        retried.body.eventId,
      );
    }
  },
  START_TIMEOUT_MS,
);
