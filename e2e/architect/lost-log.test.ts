// A core that loses its log under an Architect.
import { coreFolder } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { planIdOf } from '@hypercode/plans';
import { rm } from 'node:fs/promises';
import { afterEach, expect, test } from 'vitest';
import type { Follower } from '../../apps/architect/src/conducting/follower.ts';
import { conductingStage, goalOf } from '../../apps/architect/test/conducting/stage.ts';
import type { Stack } from '../../apps/architect/test/stage.ts';
import { spawnCore } from '../fixtures/spawn-core.ts';

const stack: Stack = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

test('a core that lost its log gets the running plans back from the Architect', async () => {
  const folder = await coreFolder('core');
  stack.push(() => folder.remove());
  // The second start makes and migrates a new database.
  const core = await spawnCore({ dataDir: folder.path, startTimeoutMs: 90_000 });
  stack.push(() => core.close());
  const it = await conductingStage(core, stack);
  const follower = await it.conduct();
  const goals = [goalOf('one'), goalOf('another')];
  const plans = goals.map(({ goalId }) => planIdOf(goalId));
  for (const goal of goals) await it.operator.publish('goal.submitted', goal);
  const statuses = (of: Follower) => plans.map((planId) => of.ledger.plans.get(planId)?.status);
  await waitFor(() => statuses(follower).every((status) => status === 'running'), { what: 'the plans to be made' });
  expect(await it.checkpoints()).toEqual([]);
  core.kill('SIGKILL');
  await core.exited;
  await rm(folder.path, { recursive: true });
  await core.restart();
  await it.waitFor(async () => new Set(await it.checkpoints()).size === 2, { what: 'checkpoints', timeoutMs: 60_000 });
  expect(statuses(await it.follow())).toEqual(['running', 'running']);
});
