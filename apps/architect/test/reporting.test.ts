// What an operator sees of an Architect: its log, its metrics, its OpenAPI document, and the attempts of a plan.
import { sharedCore, START_TIMEOUT_MS, startTestCore } from '@hypercode/core-runtime/testing';
import type { PlanView } from '@hypercode/contracts';
import { freePort, waitFor } from '@hypercode/testkit';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type Stack, stageOn, startTestArchitect } from './stage.ts';
import { step } from './steps.ts';

const stack: Stack = [];
beforeAll(async () => {
  await sharedCore();
}, START_TIMEOUT_MS);
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

test('a step whose agent never answers is tried as often as it says, and log, view and metrics name the time-outs', async () => {
  const { log, architect: start, worker } = stageOn(await sharedCore(), stack);
  const architect = await start({ ARCHITECT_RETRY_DELAY_MS: '1' });
  await worker('ada', () => undefined);
  // What is submitted before is read with the past, which is not reported.
  await waitFor(() => architect.infos.some((line) => line.startsWith('the plans on the bus')), { what: 'the past' });
  const limits = { timeoutMs: 300, maxAttempts: 2 };
  const { planId } = await architect.submit({ title: 'in vain', steps: [{ ...step('a'), ...limits }] });
  expect(await log.endOf(planId)).toBe('plan.failed');
  const { tasks, reason } = await architect.call<PlanView>(`/plans/${planId}`);
  expect(reason).toBe('the task "a" (do a) was tried 2 times without success: the last attempt, by ada, timed out');
  const attempt = {
    ...{ agent: 'ada', outcome: 'timed_out', because: 'only this agent offers the capability' },
    ...{ error: expect.stringContaining('timed out'), acceptedAt: expect.any(String), endedAt: expect.any(String) },
  };
  expect(tasks[0]?.attempts).toMatchObject([attempt, attempt]);
  const about = architect.infos.filter((line) => line.includes(planId)).map((line) => line.split(' {')[0]);
  expect(about).toEqual(['goal submitted', 'plan created', 'attempt timed out', 'attempt timed out', 'plan failed']);
  const metrics = await (await fetch(`${architect.url}/metrics`)).text();
  expect(metrics.split('\n')).toEqual(
    expect.arrayContaining([
      'architect_goals_total 1',
      'architect_plans_ended_total{status="failed"} 1',
      'architect_attempts_ended_total{outcome="timed_out"} 2',
      'architect_plans{status="running"} 0',
      'architect_active 1',
      'architect_http_requests_total{route="/goals",method="POST",status="202"} 1',
    ]),
  );
  expect(metrics).toContain('process_cpu_seconds_total');
});

test('the OpenAPI document and the metrics need no token', async () => {
  const env = { SWARM_URL: `http://127.0.0.1:${await freePort()}`, SWARM_JOIN_TOKEN: 'a-join-token-of-the-test' };
  const architect = await startTestArchitect({ ...env, ARCHITECT_TOKEN: 'a-token-of-the-architect' }, stack);
  expect(await architect.call('/openapi.json')).toMatchObject({ openapi: '3.1.0', security: [{ token: [] }] });
  const metrics = await fetch(`${architect.url}/metrics`);
  expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
  expect(await metrics.text()).toContain('architect_caught_up 0');
});

test('an Architect without a core says so once, with the address, and again when the core answers', async () => {
  const port = await freePort();
  const joinToken = 'a-join-token-of-the-test';
  const url = `http://127.0.0.1:${port}`;
  const { lines } = await startTestArchitect({ SWARM_URL: url, SWARM_JOIN_TOKEN: joinToken }, stack);
  await waitFor(() => lines.length > 0, { what: 'the line' });
  const core = await startTestCore({ port, joinToken });
  stack.push(() => core.close());
  await waitFor(() => lines.some((line) => line.startsWith(`the core at ${url} answers again`)), {
    what: 'the core to be noticed',
    timeoutMs: 60_000,
  });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toContain(`the core at ${url} could not be reached`);
});

test('a port that is taken is one line that says what to set, and the agent of the running Architect stays', async () => {
  const core = await sharedCore();
  const { architect: start } = stageOn(core, stack);
  const { url } = await start();
  const { port } = new URL(url);
  const health = async () => Object(await (await fetch(`${url}/health`)).json()).status;
  await expect(start({ ARCHITECT_PORT: port })).rejects.toThrow(
    `the Architect cannot listen on 127.0.0.1:${port}: port ${port} is taken: set ARCHITECT_PORT to another port, or to 0 for a free one`,
  );
  expect(await health()).toBe('ok');
});
