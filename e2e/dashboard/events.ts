// Events on the dashboard: found, looked at, copied, previewed and published again. Looking takes nothing from any group.
import { ClaimResult, PublishManyResult, ReadResult } from '@hypercode/contracts';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

const HOSTILE = `<img src=x onerror="document.title=1"> \u202Eevil '"$(touch pwned)\``;
/** A busy machine draws later. */
const PATIENCE = { timeout: 15_000 };
/** As long as the API allows. */
const LONGEST = { topic: `${'t'.repeat(126)}.${'u'.repeat(128)}`, correlationId: `<b>${'c'.repeat(252)}` };

/** `dashboard` is there before the first test. */
export function eventsSuite(dashboard: () => Dashboard): void {
  const post = async (path: string, json: object): Promise<unknown> => {
    const answer = await dashboard().core.fetch(path, { method: 'POST', json });
    expect([answer.status, answer.ok]).toEqual([answer.status, true]);
    return answer.json();
  };
  const newest = async (topic: string) => {
    const answer = await dashboard().core.fetch(`/v1/events?topics=${topic}&order=newest&limit=1`);
    return ReadResult.parse(await answer.json()).events[0]?.event;
  };

  test('an event is found by its data, traced, and published again with changes, and no group lost anything', async () => {
    const topic = `t-${randomUUID().slice(0, 8)}.made`;
    const group = `g-${randomUUID().slice(0, 8)}`;
    await post(`/v1/groups/${group}/claim`, { topics: [topic] });
    await post(
      '/v1/events',
      [1, 2, 3].map((order) => ({ topic, data: { order, words: HOSTILE } })),
    );
    const page = await dashboard().open(`/events?topic=${topic}`, dashboard().core.adminToken);
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
    await expect.poll(() => rows.count(), PATIENCE).toBe(4);
    await page.getByLabel('Data, as a JSONPath').fill('$[?@ == 2]');
    await expect.poll(() => rows.count(), PATIENCE).toBe(2);
    expect(new URL(page.url()).searchParams.get('where')).toBe('$[?@ == 2]');

    await rows.last().getByRole('link').click();
    const fate = page.getByRole('table', { name: 'Fate of the event' });
    const ofGroup = fate.getByRole('row').filter({ hasText: group });
    await ofGroup.getByText('not read yet').waitFor();
    // What is selected in the diagram is selected in the table, and in the address.
    await page.locator('figure').getByText(group).click();
    await ofGroup.getByRole('button', { name: 'Group', pressed: true }).waitFor();
    expect(new URL(page.url()).searchParams.get('part')).toBe(`group ${group}`);
    await page.getByLabel('Data').getByText('\\u{202E}').waitFor();
    expect(await page.getByRole('main').innerText()).not.toContain('\u202E');
    await page.getByRole('button', { name: 'Publish again…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Preview').getByText(group, { exact: true }).waitFor();
    await dialog.getByLabel('Data, as JSON').fill('{"order": 20');
    await dialog.getByText('This is not JSON').waitFor();
    await dialog.getByLabel('Data, as JSON').fill('{"order": 20}');
    await dialog.getByRole('button', { name: 'Publish' }).click();
    await fate.getByRole('button', { name: 'Caused by' }).waitFor();

    const again = await newest(topic);
    expect(again).toMatchObject({ data: { order: 20 }, source: '/operators/admin' });
    expect(page.url()).toContain(again?.id);
    const claimed = ClaimResult.parse(await post(`/v1/groups/${group}/claim`, {}));
    expect(claimed.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1]);
  });

  test('a copy of an event publishes it again from a shell, whatever it says', async () => {
    const { core } = dashboard();
    const topic = `t-${randomUUID().slice(0, 8)}.made`;
    await post('/v1/events', { topic, data: { words: HOSTILE }, correlationId: LONGEST.correlationId });
    const first = await newest(topic);
    const page = await dashboard().open(`/events/${first?.id}`, core.viewerToken);
    await page.getByRole('button', { name: 'Copy as…' }).click();
    const text = await page.getByLabel('curl', { exact: true }).innerText();
    // Not in sync: the core is in this process.
    const shell = spawn('sh', ['-s'], {
      env: { ...process.env, SWARM_TOKEN: core.adminToken },
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    shell.stdin.end(text);
    expect(await once(shell, 'exit')).toEqual([0, null]);
    const again = await newest(topic);
    expect(again).toMatchObject({ data: { words: HOSTILE }, correlationId: LONGEST.correlationId });
    expect(again?.id).not.toBe(first?.id);
    // A viewer publishes nothing.
    expect(await page.getByRole('button', { name: /Publish/ }).count()).toBe(0);
  });

  test('a jump leads to an event by its id and by its position', async () => {
    const { topic } = LONGEST;
    await post('/v1/events', { topic, data: 'x'.repeat(200 * 1024), correlationId: LONGEST.correlationId });
    const found = await dashboard().core.fetch(`/v1/events?topics=${topic}&order=newest&limit=1`);
    const [logged] = ReadResult.parse(await found.json()).events;
    const page = await dashboard().open('/events', dashboard().core.viewerToken);
    const jump = page.getByLabel('Go to an id or a position');
    await jump.fill(logged?.position ?? '');
    await jump.press('Enter');
    await page.getByText('Only the event at').waitFor();
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
    await expect.poll(() => rows.count(), PATIENCE).toBe(2);
    await page.getByRole('button', { name: 'Show all' }).click();
    await jump.fill(logged?.event.id ?? '');
    await jump.press('Enter');
    await page.getByRole('button', { name: /more characters/ }).click();
    await expect
      .poll(async () => (await page.getByLabel('Data').innerText()).length, PATIENCE)
      .toBeGreaterThan(200 * 1024);
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
  });

  test('ten thousand topics are a tree that filters, of which only what is in sight is drawn', async () => {
    const namespace = dashboard().core.freshNamespace();
    for (let part = 0; part < 10; part += 1) {
      const events = Array.from({ length: 1000 }, (_, index) => ({ topic: `many.n${part}.i${index}`, data: null }));
      const results = await post(`/v1/events?namespace=${namespace}`, events);
      expect(PublishManyResult.parse(results).results).toHaveLength(1000);
    }
    const page = await dashboard().open(`/events?ns=${namespace}&tree=true`, dashboard().core.adminToken);
    const tree = page.getByRole('complementary', { name: 'Topics' });
    await tree.getByText('10,000 topics').waitFor();
    for (const path of ['many', 'many.n7']) await tree.getByLabel(`Topics under ${path}`, { exact: true }).click();
    await tree.getByTitle('many.n7.i0', { exact: true }).click();
    expect(await tree.getByRole('listitem').count()).toBeLessThan(100);
    const rows = page.getByRole('table', { name: 'Events' }).getByRole('row');
    await expect.poll(() => rows.count(), PATIENCE).toBe(2);
    await post(`/v1/events?namespace=${namespace}`, { topic: 'many.n7.i0', data: null });
    await expect.poll(() => rows.count(), PATIENCE).toBe(3);
    // The page itself received it. The replica reports its counts every few seconds, and all topics are read again.
    await expect
      .poll(
        async () => {
          await tree.getByRole('button', { name: 'Read again' }).click();
          return tree.getByLabel('1 received in the last hour').count();
        },
        { timeout: 60_000, interval: 6000 },
      )
      .toBeGreaterThan(0);
  });
}
