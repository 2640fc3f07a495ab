// What the page asks of the core while nobody touches it, and what it keeps in the browser.
import { expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

/** A minute, in steps that are shorter than the silence after which a connection counts as lost. */
const STEPS = 6;
const STEP_MS = 10_000;

/** `dashboard` is there before the first test. Its core sends signs of life more than once a second. */
export function quietSuite(dashboard: () => Dashboard): void {
  test('an idle minute repeats no request, and one WebSocket serves all live views', async () => {
    const { core } = dashboard();
    const page = await dashboard().openPage();
    await page.clock.install();
    const requests: string[] = [];
    const sent: string[] = [];
    let sockets = 0;
    let frames = 0;
    page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
    page.on('websocket', (socket) => {
      sockets += 1;
      socket.on('framesent', ({ payload }) => sent.push(String(payload)));
      socket.on('framereceived', () => (frames += 1));
    });
    await page.goto(await dashboard().link(core.viewerToken));
    await page.getByText('Live', { exact: true }).waitFor();
    for (const name of ['Groups', 'System', 'Policy', 'Agents']) {
      await page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name, exact: true }).click();
      await page.getByRole('heading', { name, level: 1 }).waitFor();
    }
    await page.waitForLoadState('networkidle');
    const before = [requests.length, sent.filter((one) => one !== 'PONG').length];
    for (let step = 0; step < STEPS; step += 1) {
      await page.clock.fastForward(STEP_MS);
      const arrived = frames;
      await expect.poll(() => frames).toBeGreaterThan(arrived);
    }
    expect([requests.slice(before[0]), sent.filter((one) => one !== 'PONG').slice(before[1])]).toEqual([[], []]);
    expect(sockets).toBe(1);
    await page.getByText('Live', { exact: true }).waitFor();
  });

  test('filters and saved views survive a reload', async () => {
    const { core } = dashboard();
    for (const [name, role] of [
      ['view-a', 'coder'],
      ['view-b', 'qa'],
    ]) {
      const json = { name, role, version: '1.0.0', labels: { shelf: 'top' } };
      await core.fetch('/v1/agents', { method: 'POST', namespace: 'default', json });
    }
    const page = await dashboard().open('/agents?text=view-', core.adminToken);
    const row = (name: string) => page.getByRole('row').filter({ hasText: name });
    await row('view-b').waitFor();
    await page.getByRole('combobox', { name: 'role', exact: true }).selectOption('qa');
    await row('view-a').waitFor({ state: 'detached' });
    await page.getByRole('combobox', { name: 'group', exact: true }).selectOption('label:shelf');
    await page.getByRole('row').filter({ hasText: 'top' }).waitFor();
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByLabel('Name of the view').fill('Shelves');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.reload();
    await row('view-b').waitFor();
    expect(await row('view-a').count()).toBe(0);
    await page.goto(`${core.url}/agents?text=view-`);
    await row('view-a').waitFor();
    await page.getByRole('button', { name: 'Views' }).click();
    await page.getByRole('link', { name: 'Shelves' }).click();
    await row('view-a').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'top' }).click();
    await row('view-b').waitFor({ state: 'detached' });
  });
}
