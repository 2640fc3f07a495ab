// An operator on the dashboard: does what operators may, is known by name in what it did, and is offered nothing else.
import { ClaimResult, CreateTokenResult, RegisterResult } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';
import { fillSwarm } from './sample-swarm.ts';

/** `dashboard` is there before the first test. */
export function operatorSuite(dashboard: () => Dashboard): void {
  test('an operator pauses a group, redrives a dead letter and answers a question, and is offered no act of admins', async () => {
    const { core } = dashboard();
    const namespace = core.freshNamespace();
    const { paths } = await fillSwarm(core, namespace);
    const send = async (path: string, json: object, token = core.adminToken): Promise<unknown> => {
      const answer = await core.fetch(path, { namespace, method: 'POST', json, token });
      expect([path, answer.ok]).toEqual([path, true]);
      return answer.json();
    };
    const { token } = CreateTokenResult.parse(await send('/v1/tokens', { kind: 'operator', name: 'olga', namespace }));
    const page = await dashboard().open(`/groups/builders?ns=${namespace}`, token);
    await page.getByText('operator', { exact: true }).waitFor();
    const dialog = page.getByRole('dialog');

    await page.getByRole('button', { name: 'Redrive', exact: true }).click();
    await dialog.getByRole('button', { name: 'Redrive' }).click();
    await dialog.waitFor({ state: 'detached' });
    const claim = async () => ClaimResult.parse(await send('/v1/groups/builders/claim', {})).deliveries;
    await waitFor(async () => (await claim()).some(({ event }) => event.topic === 'builders.failed'), {
      what: 'the redriven event',
    });

    await page.getByRole('button', { name: 'Pause' }).click();
    await dialog.getByLabel('Reason, for the audit').fill('the disk is full');
    await dialog.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused by /operators/olga').waitFor();
    const group: unknown = await (await core.fetch('/v1/groups/builders', { namespace })).json();
    expect(group).toMatchObject({ group: { paused: { by: '/operators/olga', reason: 'the disk is full' } } });

    const asker = { namespace, name: 'asker', role: 'worker', version: '1.0.0' };
    const { token: ofAgent } = RegisterResult.parse(await send('/v1/agents', asker));
    const questionId = randomUUID();
    const options = [
      { id: 'yes', label: 'Yes, deploy' },
      { id: 'no', label: 'No' },
    ];
    const data = { questionId, text: 'Deploy it today?', options };
    await send('/v1/events', { topic: 'question.asker.asked', data }, ofAgent);
    await go(page, 'Needs you');
    await page.getByRole('button', { name: 'Yes, deploy' }).click();
    await page.getByText('Deploy it today?').waitFor({ state: 'detached' });
    const answered = await core.fetch('/v1/events?topics=question.asker.answered', { namespace });
    const { events } = (await answered.json()) as { events: { event: { data: unknown } }[] };
    expect(events[0]?.event.data).toMatchObject({ questionId, answer: 'yes', by: '/operators/olga' });

    for (const [screen, words] of [
      ['Tokens', /are for admins/],
      ['Audit', /are for admins|is for admins/],
    ] as const) {
      await go(page, screen);
      await page.getByRole('main').getByText(words).waitFor();
    }
    const offered: string[] = [];
    for (const path of paths.filter((one) => /policy|tokens|audit/.test(one))) {
      await page.evaluate(`history.pushState({}, '', ${JSON.stringify(inNamespace(path, namespace))})`);
      await page.getByRole('main').getByRole('heading').first().waitFor();
      await page.getByRole('main').getByText('reading…').waitFor({ state: 'detached' });
      offered.push(...(await page.locator('main button[aria-haspopup=dialog]').allTextContents()));
    }
    expect(offered).toEqual([]);
  });
}

const go = (page: Page, name: string): Promise<void> =>
  page.getByRole('navigation', { name: 'Screens' }).getByRole('link', { name }).click();

const inNamespace = (path: string, namespace: string): string =>
  `${path}${path.includes('?') ? '&' : '?'}ns=${namespace}`;
