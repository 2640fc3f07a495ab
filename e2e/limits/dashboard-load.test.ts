// The dashboard while a large swarm changes: no long task of the page, and memory that stays level.
//
// The page, the core and the load share the processors of the machine. So a task counts by the processor time of its thread, as the
// browser's trace has it, and not by how long the thread waited for a processor.
import type { Page } from 'playwright-core';
import { freshDatabase, sharedRedisUrl } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Dashboard, START_LIMIT_MS, startDashboard } from '../dashboard/dashboard.ts';
import { heapMib, tracePage, wordsOf } from './page-trace.ts';
import { type Load, nameOf, registerMany, startLoad } from './swarm-load.ts';

const isLong = process.env['SWARM_TEST_ALL'] === '1';

const AGENTS = 10_000;
const CHANGES = 100;
const EVENTS = 1000;
/** A core on a busy machine is late with some of the load: less than this share of it is no load. */
const LEAST_SHARE = 0.4;
/** A task of the page above this is one that a person feels. Milliseconds. */
const LONG_TASK_MS = 100;
/** Scripts that take longer than this in a frame are seen while scrolling. Milliseconds. */
const LONG_FRAME_MS = 50;
/** Each is registered with the core. */
const MANY_AGENTS = isLong ? 50_000 : 12_000;
/** How long each screen is traced. */
const TRACED_MS = isLong ? 10_000 : 6_000;
/** How long the load goes on for the memory of the page, and how much more than at the beginning it may hold. */
const MEMORY_MS = isLong ? 600_000 : 0;
const MAX_GROWTH_MIB = 12;

let dashboard: Dashboard;
beforeAll(async () => {
  dashboard = await startDashboard({
    databaseUrl: await freshDatabase(),
    redisUrl: sharedRedisUrl(),
    redisPrefix: `load-${process.pid}`,
  });
}, START_LIMIT_MS);
afterAll(() => dashboard?.close());

const live = (page: Page) => page.getByText('Live', { exact: true }).waitFor();
const go = async (page: Page, name: string): Promise<void> => {
  await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name }).click();
  await page.getByRole('heading', { name, level: 1 }).waitFor();
};

test(
  'no task is long while 10,000 agents change and a thousand events a second come, and the memory stays level',
  { timeout: 300_000 + MEMORY_MS },
  async () => {
    const { core, browser } = dashboard;
    const namespace = core.freshNamespace();
    const tokens = await registerMany(core, namespace, AGENTS);
    const page = await dashboard.open(`/needs-you?ns=${namespace}`, core.adminToken);
    await live(page);
    await page.getByText(/of 10,000$/).waitFor();
    const load: Load = startLoad(core, { namespace, tokens, changes: CHANGES, events: EVENTS });
    const found: string[] = [];
    const trace = async (what: string, run: () => Promise<unknown>): Promise<void> => {
      const traced = await tracePage(browser, page, run);
      console.log(`${what}: ${wordsOf(traced)}`);
      if (traced.tasks.some(({ cpu }) => cpu > LONG_TASK_MS)) found.push(`${what}: ${wordsOf(traced)}`);
    };
    await trace('Needs you', () => page.waitForTimeout(TRACED_MS));
    await trace('to Agents', () => go(page, 'Agents'));
    await trace('Agents', () => page.waitForTimeout(TRACED_MS));
    await page.getByRole('combobox', { name: 'group', exact: true }).selectOption('label:team');
    await trace('Agents by team', () => page.waitForTimeout(TRACED_MS));
    await page.getByRole('combobox', { name: 'group', exact: true }).selectOption('');
    await trace('to Events', () => go(page, 'Events'));
    await trace('Events', () => page.waitForTimeout(TRACED_MS));
    const before = await heapMib(page);
    const levels = [before];
    const end = performance.now() + MEMORY_MS;
    for (let turn = 0; performance.now() < end; turn += 1) {
      await go(page, ['Needs you', 'Agents', 'Events'][turn % 3] ?? '');
      await trace(`turn ${turn}`, () => page.waitForTimeout(TRACED_MS));
      levels.push(await heapMib(page));
    }
    const rates = await load.end();
    console.log(`memory in MiB: ${levels.map((mib) => mib.toFixed(1)).join(', ')}; ${JSON.stringify(rates)}`);
    expect(found).toEqual([]);
    expect(rates.changes).toBeGreaterThan(CHANGES * LEAST_SHARE);
    expect(rates.events).toBeGreaterThan(EVENTS * LEAST_SHARE);
    expect(Math.max(...levels.slice(-3)) - before).toBeLessThan(MAX_GROWTH_MIB);
    // The page stands where the swarm stands.
    await go(page, 'Agents');
    await page.getByRole('searchbox', { name: 'Search agents' }).fill(nameOf(42));
    await page
      .getByRole('row')
      .filter({ hasText: nameOf(42) })
      .waitFor();
  },
);

test(
  'a list of very many agents is scrolled, filtered and grouped without a long frame',
  { timeout: 480_000 },
  async () => {
    const { core, browser } = dashboard;
    const namespace = core.freshNamespace();
    await registerMany(core, namespace, MANY_AGENTS);
    const page = await dashboard.open(`/agents?ns=${namespace}`, core.adminToken);
    await page.getByText(MANY_AGENTS.toLocaleString('en-US'), { exact: true }).waitFor();
    const found: string[] = [];
    const trace = async (what: string, run: () => Promise<unknown>): Promise<void> => {
      const traced = await tracePage(browser, page, run);
      console.log(`${what}: ${wordsOf(traced)}`);
      if (traced.tasks.some(({ script, cpu }) => script > LONG_FRAME_MS || cpu > LONG_TASK_MS))
        found.push(`${what}: ${wordsOf(traced)}`);
    };
    const choose = (label: string, value: string) =>
      page.getByRole('combobox', { name: label, exact: true }).selectOption(value);
    const row = (text: string) => page.getByRole('row').filter({ hasText: text }).first();
    await page.getByRole('rowgroup', { name: 'Agents, rows' }).hover();
    const scroll = async (): Promise<void> => {
      for (let step = 0; step < 60; step += 1) {
        await page.mouse.wheel(0, step < 40 ? 700 : 20_000);
        await page.waitForTimeout(16);
      }
    };
    await trace('scrolling', scroll);
    await trace('filtering by a word', async () => {
      await page.getByRole('searchbox', { name: 'Search agents' }).fill('team 13.');
      await row(nameOf(13)).waitFor();
    });
    await trace('and by none', async () => {
      await page.getByRole('searchbox', { name: 'Search agents' }).fill('');
      await row(nameOf(1)).waitFor();
    });
    await trace('grouping', async () => {
      await choose('group', 'label:team');
      await row('team-0').waitFor();
    });
    await trace('scrolling groups', scroll);
    await trace('sorting', async () => {
      await choose('group', '');
      await row(nameOf(0)).waitFor();
      await choose('sort', 'seen');
      // The first that were registered, some requests at a time.
      await row('agent-000').waitFor();
    });
    await trace('the end of the list', async () => {
      await page.getByRole('rowgroup', { name: 'Agents, rows' }).press('End');
      await page.locator(`[aria-rowindex="${MANY_AGENTS + 1}"]`).waitFor();
    });
    expect(found).toEqual([]);
  },
);
