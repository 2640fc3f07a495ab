// Signing in to the dashboard and out of it, in a real browser.
import { CreateTokenResult } from '@hypercode/contracts';
import { startTestCore } from '@hypercode/core-runtime/testing';
import { expect, onTestFinished, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

/** `dashboard` is there before the first test. */
export function sessionsSuite(dashboard: () => Dashboard): void {
  test('a link signs in once, leaves no code in the address, and a reload stays signed in', async () => {
    const { core } = dashboard();
    const page = await dashboard().openPage();
    const link = await dashboard().link(core.viewerToken);
    await page.goto(link);
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();
    expect(page.url()).toBe(`${core.url}/needs-you`);
    const [cookie, ...others] = await page.context().cookies();
    expect(cookie).toMatchObject({
      name: `swarm-session-${core.port}`,
      path: '/',
      httpOnly: true,
      sameSite: 'Strict',
      secure: false,
    });
    expect(others).toEqual([]);
    expect(await page.evaluate('document.cookie')).toBe('');

    await page.reload();
    await page.getByRole('heading', { name: 'Needs you' }).waitFor();

    const again = await dashboard().openPage();
    await again.goto(link);
    await again.getByText('This link has been used or is older than two minutes').waitFor();
  });

  test('a token signs in, a wrong one does not, and signing out ends the session', async () => {
    const { core } = dashboard();
    const page = await dashboard().openPage();
    await page.goto(`${core.url}/groups`);
    const field = page.getByLabel('Token');
    await field.fill('wrong');
    await field.press('Enter');
    await page.getByRole('alert').waitFor();
    await field.fill(core.viewerToken);
    await field.press('Enter');
    await page.getByRole('heading', { name: 'Groups' }).waitFor();

    const [cookie] = await page.context().cookies();
    const [key] = await page.evaluate(() => Object.values(sessionStorage));
    expect(key).toBeDefined();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await field.waitFor();
    await expect.poll(async () => page.context().cookies()).toEqual([]);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
    const answer = await core.fetch('/v1/agents', {
      token: null,
      headers: {
        'swarm-session': (JSON.parse(key ?? '{}') as { key: string }).key,
        cookie: `${cookie?.name}=${cookie?.value}`,
        'sec-fetch-site': 'same-origin',
      },
    });
    expect(answer.status).toBe(401);
  });

  test('two tabs with tokens of their own are signed in side by side', async () => {
    const { core } = dashboard();
    const first = await dashboard().open('/groups', core.adminToken);
    const second = await first.context().newPage();
    const { hash } = new URL(await dashboard().link(core.viewerToken));
    await second.goto(`${core.url}/groups${hash}`);
    await second.getByText('viewer', { exact: true }).waitFor();
    await first.reload();
    await first.getByText('admin', { exact: true }).waitFor();
  });

  test('the end of its token signs the page out, and says so', async () => {
    const { core } = dashboard();
    const made = await core.fetch('/v1/tokens', { method: 'POST', json: { kind: 'viewer', name: 'soon gone' } });
    const { id, token } = CreateTokenResult.parse(await made.json());
    const page = await dashboard().open('/agents', token);
    await core.fetch(`/v1/tokens/${id}`, { method: 'DELETE' });
    await page.getByText('Your session has ended. Sign in again.').waitFor();
    await page.getByLabel('Token').waitFor();
  });

  test('a session whose time has passed signs the page out', async () => {
    const short = await startTestCore({ ui: dashboard().ui, sessionMs: 3000 });
    onTestFinished(() => short.close());
    const page = await dashboard().open('/agents', short.viewerToken, short);
    await page.getByText('Your session has ended. Sign in again.').waitFor();
  });
}
