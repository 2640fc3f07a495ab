import { startTestCore } from '@hypercode/core-runtime/testing';
import { freshDatabase, startRedis } from '@hypercode/testkit';
import { afterEach, test } from 'vitest';
import { expectDiamondToBeDone } from './diamond.ts';
import { type Stack, stageOn } from './stage.ts';

const stack: Stack = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

test('on PostgreSQL and Redis a goal becomes a plan that is carried out', async () => {
  const redis = await startRedis({ appendOnly: true });
  stack.push(() => redis.close());
  const core = await startTestCore({ databaseUrl: await freshDatabase(), redisUrl: redis.url });
  stack.push(() => core.close());
  await expectDiamondToBeDone(stageOn(core, stack));
});
