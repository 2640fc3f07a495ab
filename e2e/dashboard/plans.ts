// Goals and plans on the dashboard, with a real Architect and a worker: submitted, watched to the end, looked at from all sides.
import { type ConnectedAgent, connectAgent, serveTasks } from '@hypercode/client';
import { type SpawnedArchitect, spawnArchitect } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

const HOSTILE = '<img src=x onerror="document.title=1"> \u202Eevil';

/** `dashboard` is there before the first test. */
export function plansSuite(dashboard: () => Dashboard): void {
  let architect: SpawnedArchitect;
  let worker: ConnectedAgent;
  /** Lets the first attempt at a task end. */
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  /** Ends the silence of the agent that reports nothing. */
  let speak = (): void => {};
  const spoken = new Promise<void>((resolve) => (speak = resolve));
  beforeAll(async () => {
    const { core } = dashboard();
    const join = { url: core.url, token: core.joinToken };
    const inputSchema = {
      type: 'object',
      required: ['text'],
      properties: { text: { type: 'string', title: HOSTILE }, sentences: { type: 'integer', default: 2 } },
    };
    const approve = { id: 'approve', description: 'Asks a person.' };
    const summarize = { id: 'summarize', description: HOSTILE, tags: ['summary', 'summarise'], inputSchema };
    worker = await connectAgent({
      ...join,
      name: 'writer',
      role: 'worker',
      version: '1.0.0',
      capabilities: [summarize, approve, { id: 'compile', description: 'Reports nothing for long.' }],
    });
    serveTasks(worker, {
      summarize: async ({ input }) => {
        await finished;
        return { summary: HOSTILE, input };
      },
      approve: async (_task, context) => {
        const { answer } = await context.ask({
          text: `Deploy ${HOSTILE}?`,
          options: [{ id: 'yes', label: 'Yes, now' }],
        });
        return { answer };
      },
      compile: async () => {
        await spoken;
        return {};
      },
    });
    architect = await spawnArchitect({
      SWARM_URL: core.url,
      SWARM_JOIN_TOKEN: core.joinToken,
      ARCHITECT_STALL_MS: '500',
    });
  });
  afterAll(async () => {
    await architect?.close();
    await worker?.stop();
  });

  test('a goal is submitted with a form, and watched to its end', async () => {
    const page = await dashboard().open('/plans', dashboard().core.adminToken);
    await page.getByRole('button', { name: 'Submit a goal' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What should be done').fill(`Summarise ${HOSTILE}`);
    await dialog.getByLabel('More about it').fill('Summarise: one. Two. Three.');
    await dialog.getByRole('button', { name: 'Submit' }).click();
    await page.getByRole('link', { name: 'Summarise <img' }).click();
    await page.getByText('running', { exact: true }).first().waitFor();
    const graph = page.getByRole('group', { name: 'Tasks of the plan, as a graph' });
    const task = graph.getByRole('button', { name: 'writer' });
    await task.waitFor();
    finish();
    await task.getByText('completed').waitFor();
    await page.getByLabel('Output').getByText('\\u{202E}evil').waitFor();
    await page.getByLabel('Input').waitFor();
    await page.getByText('Why this agent').first().waitFor();
    await task.click();
    const { searchParams } = new URL(page.url());
    await page.getByRole('button', { name: 'List' }).click();
    const chosen = page.getByRole('table', { name: 'Tasks' }).getByRole('button', { pressed: true });
    await chosen.waitFor();
    await page.getByRole('button', { name: 'Timeline' }).click();
    await page.getByRole('list').getByRole('button', { pressed: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('task')).toBe(searchParams.get('task'));
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.getByRole('main').innerText()).not.toContain('\u202E');
  });

  test('a task that asks is marked in the graph, the list and the timeline, and is answered there', async () => {
    const { core } = dashboard();
    const steps = [{ id: 'deploy', title: 'Deploy the shop', capability: 'approve' }];
    await core.fetch('/v1/goals', { method: 'POST', json: { goalId: randomUUID(), title: 'A release', steps } });
    const page = await dashboard().open('/plans', core.adminToken);
    await page.getByRole('link', { name: 'A release' }).click();
    const graph = page.getByRole('group', { name: 'Tasks of the plan, as a graph' });
    await graph.getByRole('button', { name: 'Deploy the shop' }).getByText('asks you').waitFor();
    await page.getByRole('button', { name: 'Timeline' }).click();
    await page.getByRole('listitem').filter({ hasText: 'Deploy the shop' }).getByText('asks you').waitFor();
    await page.getByRole('button', { name: 'List' }).click();
    await page.getByRole('table', { name: 'Tasks' }).getByText('asks you').waitFor();
    const questions = page.getByRole('list', { name: 'Open questions' });
    await questions.getByText('\\u{202E}evil?').waitFor();
    await questions.getByRole('button', { name: 'Yes, now' }).click();
    await questions.waitFor({ state: 'detached' });
    await page.getByRole('table', { name: 'Tasks' }).getByText('completed').waitFor();
    expect(await page.getByText('asks you').count()).toBe(0);
  });

  test('a plan that has to be approved shows no task as begun before, and runs when it was', async () => {
    const { core } = dashboard();
    const page = await dashboard().open('/', core.adminToken);
    const steps = [{ id: 'sum', title: 'Sum up the year', capability: 'summarize' }];
    const goal = { goalId: randomUUID(), title: 'A dear goal', approval: true, steps };
    await core.fetch('/v1/goals', { method: 'POST', json: goal });
    await page.getByText('Let the plan begin').waitFor();
    await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name: 'Plans' }).click();
    await page.getByRole('link', { name: 'A dear goal' }).click();
    await page.getByRole('heading', { name: 'Approval' }).waitFor();
    const graph = page.getByRole('group', { name: 'Tasks of the plan, as a graph' });
    const task = graph.getByRole('button', { name: 'Sum up the year' });
    await task.getByText('waits for approval').waitFor();
    finish();
    await page.getByRole('button', { name: 'Let the plan begin' }).click();
    await task.getByText('completed').waitFor();
    await page.getByRole('heading', { name: 'Approval' }).waitFor({ state: 'detached' });
  });

  test('a task whose agent reports nothing says so on the first page and on the plan, until the agent reports', async () => {
    const { core } = dashboard();
    const page = await dashboard().open('/', core.adminToken);
    const steps = [{ id: 'build', title: 'Compile it all', capability: 'compile' }];
    await core.fetch('/v1/goals', { method: 'POST', json: { goalId: randomUUID(), title: 'A build', steps } });
    const card = page.getByRole('listitem').filter({ hasText: 'writer reports nothing about “Compile it all”' });
    await card.getByRole('link', { name: 'See the task' }).click();
    const graph = page.getByRole('group', { name: 'Tasks of the plan, as a graph' });
    const task = graph.getByRole('button', { name: 'Compile it all' });
    await task.getByText('reports nothing').waitFor();
    await page.getByText('asks no person').waitFor();
    speak();
    await task.getByText('completed').waitFor();
    expect(await page.getByText('reports nothing').count()).toBe(0);
  });

  test('a capability is tried with a form of its schema, and a question about rights is answered', async () => {
    finish();
    const page = await dashboard().open('/agents/writer', dashboard().core.adminToken);
    await page.getByLabel('Topic').fill('task.writer.assigned');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('No', { exact: true }).waitFor();
    await page.getByLabel('Topic').fill('task.writer.completed');
    await page.getByRole('button', { name: 'Ask' }).click();
    await page.getByText('Yes', { exact: true }).waitFor();

    await page.getByRole('button', { name: 'Try summarize' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('\\u{202E}evil').fill("it's short");
    await dialog.getByRole('button', { name: 'Try it' }).click();
    await page.getByText('completed').first().waitFor();
    await expect
      .poll(async () => JSON.parse(await page.getByLabel('Input').innerText()) as unknown, { timeout: 15_000 })
      .toEqual({ text: "it's short", sentences: 2 });
    expect(await page.title()).not.toBe('1');
  });
}
