// Each screen of the dashboard for everybody: axe finds nothing in any theme, the keyboard reaches everything, and a viewer sees no act.
import { CreateTokenResult } from '@hypercode/contracts';
import axe, { type AxeResults } from 'axe-core';
import type { Page } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';
import { fillSwarm, type SampleSwarm } from './sample-swarm.ts';

const THEMES = [
  { theme: 'light', highContrast: false },
  { theme: 'dark', highContrast: false },
  { theme: 'light', highContrast: true },
  { theme: 'dark', highContrast: true },
] as const;

/** Acts that an admin sees, and where. */
const ACTS = [
  ['/agents/eve', 'Reset'],
  ['/groups/builders', 'Pause'],
  ['/plans', 'Submit a goal'],
  ['/tokens', 'Create a token'],
  ['/audit', 'Verify the chain'],
] as const;

const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/** The most that the scripts of the first page may weigh on the wire, in bytes. */
const MOST_SCRIPT_BYTES = 250_000;

/** What has the focus, and how that is shown. Runs in the page. */
const FOCUSED = `(() => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const place = [...document.querySelectorAll('*')].indexOf(element);
  return { id: place + ' ' + element.textContent, outline: outlineStyle + ' ' + outlineWidth };
})()`;

/** The compressed size of each script that was loaded. Runs in the page. */
const SCRIPT_BYTES = `performance.getEntriesByType('resource')
  .filter(({ name }) => name.endsWith('.js'))
  .map(({ encodedBodySize }) => encodedBodySize)`;

/** `dashboard` is there before the first test. */
export function accessSuite(dashboard: () => Dashboard): void {
  let swarm: SampleSwarm;
  beforeAll(async () => {
    swarm = await fillSwarm(dashboard().core, 'studio');
  });

  /** Goes there without a reload, and waits until the screen has what it shows. */
  async function go(page: Page, path: string): Promise<void> {
    await page.evaluate(`history.pushState({}, '', ${JSON.stringify(path)})`);
    const screen = page.getByRole('main');
    await screen.getByRole('heading').first().waitFor();
    await screen.getByText('reading…').waitFor({ state: 'detached' });
  }

  async function openPalette(page: Page): Promise<void> {
    await page.keyboard.press('Control+k');
    await page.locator('[role=combobox]:focus').waitFor();
  }

  const inNamespace = (path: string): string => `${path}${path.includes('?') ? '&' : '?'}ns=${swarm.namespace}`;

  /** What axe finds, as `rule: selector`. Colours of what is disabled do not count (WCAG 2.2, 1.4.3). */
  async function violations(page: Page, rules?: readonly string[]): Promise<string[]> {
    const options = { resultTypes: ['violations'], preload: false, ...(rules === undefined ? {} : { runOnly: rules }) };
    const { violations: found } = await page.evaluate<AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
    return found.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary ?? ''}`),
    );
  }

  test('axe finds nothing on any screen in any theme', async () => {
    const page = await dashboard().open(inNamespace('/needs-you'), dashboard().core.adminToken);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.evaluate(axe.source);
    const found: string[] = [];
    for (const path of swarm.paths) {
      await go(page, inNamespace(path));
      for (const { theme, highContrast } of THEMES) {
        const contrast = highContrast ? 'high' : 'normal';
        await page.evaluate(`Object.assign(document.documentElement.dataset, ${JSON.stringify({ theme, contrast })})`);
        // The theme changes colours, and nothing else.
        const rules = highContrast || theme === 'dark' ? COLOUR_RULES : undefined;
        found.push(...(await violations(page, rules)).map((one) => `${path} ${theme} ${highContrast}: ${one}`));
      }
    }
    expect(found).toEqual([]);
  });

  test('axe finds nothing in what opens over a screen, nor at the sign-in', async () => {
    const page = await dashboard().open(inNamespace('/tokens'), dashboard().core.adminToken);
    await page.evaluate(axe.source);
    const found: string[] = [];
    const look = async (what: string) => found.push(...(await violations(page)).map((one) => `${what}: ${one}`));
    await page.getByRole('button', { name: 'Create a token' }).click();
    await page.getByRole('radio', { name: /join/ }).check();
    await look('an act');
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').getByText('Move in a list').waitFor();
    await look('the keys');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Go to, or do' }).fill('ada');
    await page.getByRole('option', { name: /^ada/ }).first().waitFor();
    await look('the palette');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Appearance' }).click();
    await page.getByRole('menuitemcheckbox', { name: 'High contrast' }).waitFor();
    await look('a menu');
    await page.keyboard.press('Escape');
    await go(page, inNamespace('/agents?group=role'));
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByLabel('Name of the view').waitFor();
    await look('the views');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
    await look('the sign-in');
    expect(found).toEqual([]);
  });

  test('the keyboard goes anywhere: letters, the palette, a list and its rows', async () => {
    const page = await dashboard().open(inNamespace('/needs-you'), dashboard().core.adminToken);
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    await page.keyboard.press('g');
    await page.keyboard.press('a');
    await page.getByRole('heading', { name: 'Agents' }).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('dijk');
    await page.waitForURL(/text=dijk/);
    await page.getByRole('rowgroup', { name: 'Agents, rows' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /dijkstra/ }).waitFor();
    await openPalette(page);
    await page.keyboard.type('builders');
    await page
      .getByRole('option', { name: /^builders/ })
      .first()
      .waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: /builders/ }).waitFor();
    await openPalette(page);
    await page.keyboard.type('pause builders');
    await page.getByRole('option', { name: 'Pause builders' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').getByText('swarm groups pause builders').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  });

  test('every control can be reached with Tab, and shows that it has the focus', async () => {
    const page = await dashboard().open(inNamespace('/tokens'), dashboard().core.adminToken);
    await page.getByRole('button', { name: 'Revoke' }).first().waitFor();
    // In a list, the arrow keys go to what is inside of rows.
    const wanted = await page.evaluate<number>(
      `[...document.querySelectorAll('a[href], button:enabled, input, select')]
        .filter((one) => one.tabIndex >= 0 && one.checkVisibility()).length`,
    );
    const seen = new Set<string>();
    for (let count = 0; count < wanted + 5; count += 1) {
      await page.keyboard.press('Tab');
      const at = await page.evaluate<{ id: string; outline: string } | null>(FOCUSED);
      if (at === null) break;
      expect(at).toEqual({ id: at.id, outline: 'solid 2px' });
      seen.add(at.id);
    }
    expect(seen.size).toBeGreaterThanOrEqual(wanted);
  });

  test('a viewer sees no act on any screen, and an admin sees them', async () => {
    const { core } = dashboard();
    const json = { kind: 'viewer', name: 'visitor' };
    const made = await core.fetch('/v1/tokens', { namespace: swarm.namespace, method: 'POST', json });
    const { token } = CreateTokenResult.parse(await made.json());
    /** Acts open a dialog. Saved views change nothing but the browser's own list, and a copy changes nothing. */
    const acts = (page: Page) =>
      page.locator('main button[aria-haspopup=dialog]').filter({ hasNotText: /Views|Copy as/ });
    const viewer = await dashboard().open(inNamespace('/needs-you'), token);
    await viewer.getByText('viewer', { exact: true }).waitFor();
    const found: string[] = [];
    for (const path of swarm.paths) {
      await go(viewer, inNamespace(path));
      found.push(...(await acts(viewer).allTextContents()));
    }
    expect(found).toEqual([]);
    const admin = await dashboard().open(inNamespace('/needs-you'), core.adminToken);
    for (const [path, name] of ACTS) {
      await go(admin, inNamespace(path));
      await acts(admin).filter({ hasText: name }).first().waitFor();
    }
  });

  test('what only admins may read says so, and how an admin reads it', async () => {
    const page = await dashboard().open('/tokens', dashboard().core.viewerToken);
    await page.getByText('The tokens of default are for admins.').waitFor();
    await page.getByText('swarm tokens ls').waitFor();
    await go(page, '/audit');
    await page.getByText('swarm audit ls').waitFor();
  });

  test('the first page does nothing that its policy of contents forbids', async () => {
    const page = await dashboard().open(inNamespace('/needs-you'), dashboard().core.adminToken);
    const errors: string[] = [];
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.reload();
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    expect(errors).toEqual([]);
  });

  test('the scripts of the first page weigh at most 250 KB, and those of other screens come with them', async () => {
    const page = await dashboard().open(inNamespace('/needs-you'), dashboard().core.adminToken);
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    const scripts = () => page.evaluate<number[]>(SCRIPT_BYTES);
    const first = await scripts();
    const sum = first.reduce((bytes, script) => bytes + script, 0);
    expect(sum).toBeGreaterThan(50_000);
    expect(sum).toBeLessThanOrEqual(MOST_SCRIPT_BYTES);
    await go(page, inNamespace('/policy'));
    await page.getByRole('textbox', { name: 'Policy, as JSON' }).waitFor();
    expect((await scripts()).length).toBeGreaterThan(first.length);
  });
}
