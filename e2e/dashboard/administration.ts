// Policy, tokens and audit on the dashboard: changed after a look at the effect, created and revoked, filtered and verified.
import { type Policy, policyText } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import type { Dashboard } from './dashboard.ts';

/** `dashboard` is there before the first test. */
export function administrationSuite(dashboard: () => Dashboard): void {
  const freshNamespace = (): string => `n-${randomUUID().slice(0, 8)}`;

  const policyOf = async (namespace: string): Promise<Policy> => {
    const answer = await dashboard().core.fetch('/v1/policy', { namespace });
    return (await answer.json()) as Policy;
  };
  const put = (namespace: string, { roles, default: others }: Omit<Policy, 'version'>) =>
    dashboard().core.fetch('/v1/policy', {
      ...{ namespace, method: 'PUT' },
      json: { policy: { roles, default: others } },
    });

  async function type(page: Page, text: string): Promise<void> {
    await page.getByRole('textbox', { name: 'Policy, as JSON' }).click();
    await page.keyboard.press('Control+a');
    await page.keyboard.insertText(text);
  }

  test('a policy is refused while it is wrong, and applied after a look at who loses what', async () => {
    const { core } = dashboard();
    const namespace = freshNamespace();
    const [worker, others] = [
      { publish: ['task.>'], subscribe: [] },
      { publish: [], subscribe: [] },
    ];
    await put(namespace, { roles: { worker }, default: others });
    const topics = { publishes: ['task.done'], subscribes: [] };
    const json = { namespace, name: 'ada', role: 'worker', version: '1.0.0', topics };
    await core.fetch('/v1/agents', { method: 'POST', namespace, json });

    const page = await dashboard().open(`/policy?ns=${namespace}`, core.adminToken);
    const wrong = { ...worker, publish: ['task. >'] };
    await type(page, JSON.stringify({ roles: { worker: wrong }, default: others }));
    await page.getByRole('status').getByText('topic pattern').waitFor();
    expect(await page.getByRole('button', { name: 'Review and apply' }).isDisabled()).toBe(true);

    const narrow = { roles: { worker: { ...worker, publish: ['log.>'] } }, default: others };
    await type(page, policyText(narrow));
    await page.getByRole('button', { name: 'Review and apply' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('1 agent loses something that it declares').waitFor();
    await dialog.getByRole('deletion').filter({ hasText: 'task.>' }).waitFor();
    await dialog.getByRole('insertion').filter({ hasText: 'log.>' }).waitFor();
    await dialog.getByText('swarm policy apply --file policy.json').waitFor();
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('version 2').first().waitFor();
    expect((await policyOf(namespace)).roles['worker']?.publish).toEqual(['log.>']);

    await page.getByLabel('Agent').fill('ada');
    await page.getByLabel('Topic').fill('task.done');
    await page.getByRole('button', { name: 'Explain' }).click();
    await page.getByText('No, it may not.').waitFor();
    await page.reload();
    await page.getByText('No, it may not.').waitFor();

    await page.getByRole('link', { name: /^1 / }).click();
    await page.getByRole('button', { name: 'Go back to this version' }).click();
    await page.getByRole('button', { name: 'Review and apply' }).click();
    await dialog.getByText('No registered agent loses anything').waitFor();
    await dialog.getByRole('button', { name: 'Apply' }).click();
    await page.getByText('Yes, it may.').waitFor();
    expect((await policyOf(namespace)).roles['worker']?.publish).toEqual(['task.>']);
  });

  test('a policy that somebody else has changed meanwhile is not overwritten, and the text is kept', async () => {
    const { core } = dashboard();
    const namespace = freshNamespace();
    const page = await dashboard().open(`/policy?ns=${namespace}`, core.adminToken);
    await page.getByText('version 0').first().waitFor();
    const { roles, default: others } = await policyOf(namespace);
    const role = { publish: [], subscribe: [] };
    await type(page, policyText({ roles: { ...roles, mine: role }, default: others }));
    await put(namespace, { roles: { ...roles, theirs: role }, default: others });
    await page.getByRole('button', { name: 'Review and apply' }).click();
    await page.getByRole('dialog').getByText('version 0 is no longer in force').waitFor();
    await page.getByRole('button', { name: 'See what changed' }).click();
    await page.getByText('Version 1 is in force now').waitFor();
    await page.getByRole('button', { name: 'Keep my text' }).click();
    await page.getByRole('button', { name: 'Review and apply' }).click();
    // What the other person did is shown as what goes.
    await page.getByRole('dialog').getByRole('deletion').filter({ hasText: '"theirs"' }).waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Apply' }).click();
    await page.getByText('version 2').first().waitFor();
    expect(Object.keys((await policyOf(namespace)).roles)).toContain('mine');
  });

  test('a token is shown once, works, and is revoked; the list follows others', async () => {
    const { core } = dashboard();
    const namespace = freshNamespace();
    const page = await dashboard().open(`/tokens?ns=${namespace}`, core.adminToken);
    await page.getByText('No token was created yet.').or(page.getByRole('table')).first().waitFor();
    await page.getByRole('button', { name: 'Create a token' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('What it is for').fill("wall's screen");
    await dialog.getByText(`swarm tokens create viewer 'wall'\\''s screen'`).waitFor();
    await dialog.getByRole('button', { name: 'Create' }).click();
    const token = await dialog.getByLabel('The token').innerText();
    expect((await core.fetch('/v1/agents', { token, namespace })).status).toBe(200);
    await dialog.getByRole('button', { name: 'It is stored' }).click();
    const row = page.getByRole('row').filter({ hasText: "wall's screen" });
    await row.getByRole('button', { name: 'Revoke' }).click();
    expect(await page.content()).not.toContain(token);
    await dialog.getByText(/swarm tokens revoke [0-9a-f-]{36}/).waitFor();
    await dialog.getByRole('button', { name: 'Revoke' }).click();
    await row.waitFor({ state: 'detached' });
    await waitFor(async () => (await core.fetch('/v1/agents', { token, namespace })).status === 401, {
      what: 'the end of the token',
    });
    await core.fetch('/v1/tokens', { namespace, method: 'POST', json: { kind: 'join', name: 'of another admin' } });
    await page.getByRole('row').filter({ hasText: 'of another admin' }).waitFor();
  });

  test('an act is found by its filters, shows what it changed, and the chain is verified', async () => {
    const { core } = dashboard();
    const namespace = freshNamespace();
    const { roles, default: others } = await policyOf(namespace);
    await put(namespace, { roles: { ...roles, added: { publish: [], subscribe: [] } }, default: others });
    await core.fetch('/v1/tokens', { namespace, method: 'POST', json: { kind: 'viewer', name: 'v' } });
    const page = await dashboard().open(`/audit?ns=${namespace}`, core.adminToken);
    await page.getByRole('row').filter({ hasText: 'tokens.create' }).waitFor();
    await page.getByLabel('action').selectOption('policy.put');
    await page.getByRole('row').filter({ hasText: 'tokens.create' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'policy.put' }).click();
    await page.reload();
    const act = page.getByRole('complementary', { name: 'Selected act' });
    await act.getByRole('insertion').filter({ hasText: '"added"' }).waitFor();
    await act.getByText('none given').waitFor();

    await page.getByRole('button', { name: 'Verify the chain' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Verify', exact: true }).click();
    await dialog.getByText(/^As it was written: \d+ entries/).waitFor();
    await dialog.getByLabel('A hash that was noted earlier').fill('a'.repeat(64));
    await dialog.getByRole('button', { name: 'Verify', exact: true }).click();
    await dialog.getByText('no entry has the hash that was given').waitFor();
  });
}
