// Signing in to the dashboard and out of it, in a real browser.
import { CreateTokenResult } from '@hypercode/contracts';
import { startTestCore } from '@hypercode/core-runtime/testing';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

/** What a page of another origin can try with the cookie that the browser sends for it. Runs in that page; `failed` is what must come of it. */
const attacksOn = (port: number, key: string): string => `(async () => {
  const core = 'http://127.0.0.1:${port}';
  const sends = (path, init) => fetch(core + path, { credentials: 'include', ...init }).then((answer) => answer.type === 'opaque' ? 'opaque' : 'done', () => 'failed');
  const streams = () => new Promise((resolve) => {
    const source = new EventSource(core + '/v1/agents/watch', { withCredentials: true });
    source.onmessage = () => resolve('done');
    source.addEventListener('synced', () => resolve('done'));
    source.onerror = () => { source.close(); resolve('failed'); };
  });
  const sockets = (params) => new Promise((resolve) => {
    const socket = new WebSocket(core.replace('http', 'ws') + '/trpc?connectionParams=1');
    socket.onopen = () => {
      socket.send(JSON.stringify({ method: 'connectionParams', data: params }));
      socket.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'whoami', input: {} } }));
    };
    socket.onmessage = ({ data }) => { if (data !== 'PING') { resolve(data.includes('"error"') ? 'failed' : 'done'); socket.close(); } };
    socket.onclose = () => resolve('failed');
  });
  const event = JSON.stringify({ topic: 'stolen.a', data: 1 });
  return {
    'a read': await sends('/v1/agents'),
    'a read with the key': await sends('/v1/agents', { headers: { 'swarm-session': '${key}' } }),
    'a write that asks nobody first': await sends('/v1/events', { method: 'POST', mode: 'no-cors', body: event }),
    'a stream': await streams(),
    'a WebSocket': await sockets({}),
    'a WebSocket with the key': await sockets({ session: '${key}' }),
    'a sign-in': await sends('/v1/session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"token":"x"}' }),
    'its key': String(sessionStorage.getItem('swarm-session')),
  };
})()`;

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

  test('a page of another port of the same host can use no session, not even with its key', async () => {
    const { core } = dashboard();
    const page = await dashboard().open('/groups', core.adminToken);
    const stored = await page.evaluate(() => sessionStorage.getItem('swarm-session') ?? '{}');
    const { key } = JSON.parse(stored) as { key: string };
    const received: (string | undefined)[] = [];
    const other = createServer((request, answer) => {
      received.push(request.headers.cookie);
      answer.setHeader('content-type', 'text/html').end('<!doctype html><title>other</title>');
    });
    onTestFinished(() => void other.close());
    await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
    const stranger = await page.context().newPage();
    await stranger.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    // The browser sends it the cookie: cookies know no ports.
    expect(received[0]).toContain(`swarm-session-${core.port}=`);
    expect(await stranger.evaluate<Record<string, string>>(attacksOn(core.port, key))).toEqual({
      'a read': 'failed',
      'a read with the key': 'failed',
      'a write that asks nobody first': 'opaque',
      'a stream': 'failed',
      'a WebSocket': 'failed',
      'a WebSocket with the key': 'failed',
      'a sign-in': 'failed',
      'its key': 'null',
    });
    const { events } = (await (await core.fetch('/v1/events?topics=stolen.%3E')).json()) as { events: unknown[] };
    expect(events).toEqual([]);
    await page.reload();
    await page.getByRole('heading', { name: 'Groups' }).waitFor();
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
