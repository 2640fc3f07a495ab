// Consumer groups on the dashboard: looked at, paused, resumed, sought, and their dead letters handed out again.
import { ClaimResult } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

const HOSTILE = '<img src=x onerror="document.title=1"> \u202Eevil';

/** `dashboard` is there before the first test. */
export function groupsSuite(dashboard: () => Dashboard): void {
  const post = async (path: string, json: object): Promise<unknown> => {
    const answer = await dashboard().core.fetch(path, { method: 'POST', json });
    expect([answer.status, answer.ok]).toEqual([answer.status, true]);
    return answer.json();
  };

  /** A group that has one event unread and none under way. */
  async function makeGroup(): Promise<string> {
    const group = `g-${randomUUID().slice(0, 8)}`;
    await post(`/v1/groups/${group}/claim`, { topics: [`${group}.>`] });
    await post('/v1/events', { topic: `${group}.a`, data: { words: HOSTILE } });
    return group;
  }

  const claim = async (group: string) => ClaimResult.parse(await post(`/v1/groups/${group}/claim`, {})).deliveries;

  /** A group with one dead letter. */
  async function makeDeadLetter(): Promise<string> {
    const group = `g-${randomUUID().slice(0, 8)}`;
    await post(`/v1/groups/${group}/claim`, { topics: [`${group}.>`], maxDeliveries: 1 });
    await post('/v1/events', { topic: `${group}.a`, data: { words: HOSTILE } });
    const [delivery] = await claim(group);
    await post(`/v1/groups/${group}/nack`, { deliveryIds: [delivery?.deliveryId], reason: HOSTILE });
    return group;
  }

  test('a group is paused and resumed, with a reason, and the list shows it', async () => {
    const { core } = dashboard();
    const group = await makeGroup();
    const page = await dashboard().open(`/groups/${group}`, core.adminToken);
    await page.getByRole('button', { name: 'Pause' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Reason, for the audit').fill("it's late");
    await dialog.getByText(`swarm groups pause ${group} --reason 'it'\\''s late'`).waitFor();
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused by /operators/admin').waitFor();
    await page.getByText("it's late").waitFor();
    expect(await claim(group)).toEqual([]);

    await page.goto(`${core.url}/groups`);
    await page.getByRole('row', { name: group }).getByText('paused').waitFor();
    await page.getByRole('link', { name: group }).click();
    await page.getByRole('button', { name: 'Resume' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Resume' }).click();
    await page.getByText('running', { exact: true }).first().waitFor();
    await waitFor(async () => (await claim(group)).length === 1, { what: 'the event' });
  });

  test('a group is moved to the end of the log', async () => {
    const group = await makeGroup();
    const page = await dashboard().open(`/groups/${group}`, dashboard().core.adminToken);
    await page.getByRole('button', { name: 'Seek' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 unread event is passed over').waitFor();
    await dialog.getByText(`swarm groups seek ${group} latest`).waitFor();
    await dialog.getByRole('button', { name: 'Seek' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await claim(group)).toEqual([]);
  });

  test('a dead letter is redriven, and what its event says stays text', async () => {
    const group = await makeDeadLetter();
    const page = await dashboard().open(`/groups/${group}`, dashboard().core.adminToken);
    const letter = page.getByRole('listitem').filter({ hasText: `${group}.a` });
    await letter.getByText('History and event').click();
    await letter.getByText('Attempt 1').waitFor();
    expect(await page.locator('main img').count()).toBe(0);
    expect(await page.locator('main').innerText()).not.toContain('\u202E');
    await letter.getByRole('button', { name: 'Redrive' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('beginning with attempt 1').waitFor();
    await dialog.getByRole('button', { name: 'Redrive' }).click();
    await letter.waitFor({ state: 'detached' });
    await waitFor(async () => (await claim(group)).length === 1, { what: 'the event' });
    expect(await page.title()).not.toBe('1');
  });

  test('a group is moved back after a preview, its settings are changed, and it is deleted', async () => {
    const group = await makeGroup();
    await claim(group);
    const page = await dashboard().open(`/groups/${group}`, dashboard().core.adminToken);
    const dialog = page.getByRole('dialog');
    await page.getByRole('button', { name: 'Seek' }).click();
    await dialog.getByLabel('the oldest event that is kept').check();
    await dialog.getByText('1 event is handed out from there on').waitFor();
    await dialog.getByLabel(/Release 1 open delivery/).check();
    await dialog.getByRole('button', { name: 'Seek' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await claim(group)).toHaveLength(1);

    await page.getByRole('button', { name: 'Settings' }).click();
    await dialog.getByLabel('Topics, one a line').fill(`${group}.>\nother.*`);
    await dialog.getByLabel('Most attempts').fill('7');
    await dialog.getByText(`--topics '${group}.>' --topics 'other.*' --max-deliveries 7`).waitFor();
    await dialog.getByRole('button', { name: 'Settings' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('other.*', { exact: true }).waitFor();
    await page.getByText('version 2').waitFor();

    await page.getByRole('button', { name: 'Delete' }).click();
    await dialog.getByRole('button', { name: 'Delete' }).click();
    await page.getByRole('heading', { name: 'Groups' }).waitFor();
    const answer = await dashboard().core.fetch(`/v1/groups/${group}`);
    expect(answer.status).toBe(404);
  });

  test('some dead letters are redriven, and then all of one reason, with their number first', async () => {
    const group = `g-${randomUUID().slice(0, 8)}`;
    await post(`/v1/groups/${group}/claim`, { topics: [`${group}.>`], maxDeliveries: 1 });
    for (const name of ['a', 'b', 'c', 'd']) await post('/v1/events', { topic: `${group}.${name}`, data: name });
    const claimed = ClaimResult.parse(await post(`/v1/groups/${group}/claim`, {})).deliveries;
    for (const { deliveryId, event } of claimed)
      await post(`/v1/groups/${group}/nack`, {
        deliveryIds: [deliveryId],
        reason: event.data === 'd' ? 'wet' : HOSTILE,
      });
    const page = await dashboard().open(`/groups/${group}`, dashboard().core.adminToken);
    const dialog = page.getByRole('dialog');
    const letter = (name: string) => page.getByRole('listitem').filter({ hasText: `${group}.${name}` });
    await letter('b').getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Redrive selected' }).click();
    await dialog.getByText(`Redrive 1 dead letter of ${group}`).waitFor();
    await dialog.getByRole('button', { name: 'Redrive selected' }).click();
    await letter('b').waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'Redrive these' }).click();
    await dialog.getByText(`Redrive 2 dead letters of ${group}`).waitFor();
    await dialog.getByRole('button', { name: 'Redrive these' }).click();
    await letter('a').waitFor({ state: 'detached' });
    await letter('d').waitFor();
    const again = ClaimResult.parse(await post(`/v1/groups/${group}/claim`, {})).deliveries;
    expect(again.map(({ event }) => JSON.stringify(event.data)).toSorted()).toEqual(['"a"', '"b"', '"c"']);
  });

  test('a dead letter is discarded, with all others', async () => {
    const group = await makeDeadLetter();
    const page = await dashboard().open(`/groups/${group}`, dashboard().core.adminToken);
    await page.getByRole('button', { name: 'Discard all' }).click();
    await page.getByRole('dialog').getByText(`swarm dead discard ${group} --all`).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Discard all' }).click();
    const left = async () => {
      const answer = await dashboard().core.fetch(`/v1/groups/${group}/dead-letters`);
      return ((await answer.json()) as { deadLetters: unknown[] }).deadLetters.length;
    };
    await waitFor(async () => (await left()) === 0, { what: 'no dead letter' });
    await page.getByText('Dead letters').first().waitFor();
    await page
      .getByRole('listitem')
      .filter({ hasText: `${group}.a` })
      .waitFor({ state: 'detached' });
  });

  test('a viewer sees members, deliveries and dead letters, and no button that changes something', async () => {
    const group = await makeDeadLetter();
    await post('/v1/events', { topic: `${group}.b`, data: 1 });
    await claim(group);
    const page = await dashboard().open(`/groups/${group}`, dashboard().core.viewerToken);
    await page.getByText(`${group}.a`, { exact: true }).waitFor();
    await page.getByRole('cell', { name: `${group}.b`, exact: true }).waitFor();
    await page.getByText('takes part').first().waitFor();
    const names = await page.getByRole('main').getByRole('button').allTextContents();
    expect(names.filter((name) => name !== 'Read again')).toEqual([]);
  });
}
