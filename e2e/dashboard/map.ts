// The map: who talks to whom, as the core counted it.
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

/** `dashboard` is there before the first test. */
export function mapSuite(dashboard: () => Dashboard): void {
  test('what a group was handed is a cell of the matrix, leads to its events, and is a line of the graph', async () => {
    const { core } = dashboard();
    // As long as a name may be.
    const group = `g-${randomUUID()}`.padEnd(63, 'x');
    const namespace = core.freshNamespace();
    const post = async (path: string, json: object) => {
      const answer = await core.fetch(`${path}?namespace=${namespace}`, { method: 'POST', json });
      expect(answer.status).toBe(200);
    };
    await post(`/v1/groups/${group}/claim`, { topics: ['>'] });
    await post('/v1/events', { topic: 'parcel.sent', data: 1 });
    await post(`/v1/groups/${group}/claim`, {});

    const page = await dashboard().open(`/map?ns=${namespace}`, core.viewerToken);
    const cell = page.getByRole('button', { name: `1 event from operator admin to group ${group}` });
    // The replica reports its counts every few seconds.
    await expect
      .poll(
        async () => {
          await page.getByRole('button', { name: 'Read again' }).click();
          return cell.count();
        },
        { timeout: 20_000, interval: 500 },
      )
      .toBe(1);
    await cell.click();
    const selected = page.getByRole('complementary', { name: 'Selected' });
    await selected.getByText('1 event on 1 topic').waitFor();
    await page.reload();
    await selected.waitFor();

    await page.getByRole('button', { name: 'Graph' }).click();
    const graph = page.getByRole('group', { name: 'Who talks to whom, as a graph' });
    await graph.getByRole('button', { name: group }).waitFor();
    expect(await graph.getByRole('button', { name: '1', exact: true }).getAttribute('aria-pressed')).toBe('true');

    await selected.getByRole('link', { name: 'parcel.sent' }).click();
    await page.getByRole('table', { name: 'Events' }).getByText('parcel.sent').waitFor();
    expect(new URL(page.url()).searchParams.get('source')).toBe('/operators/admin');
  });
}
