// Writes the pictures of the dashboard in docs/images again; with a folder, every screen in both themes there instead:
//
//   node e2e/dashboard/write-pictures.ts [FOLDER]
//
// The swarm is the sample one, with events and questions of its own. A picture is taken when the page is live and has read what it shows.
import { type ConnectedAgent, connectAgent, serveTasks, type TopicListener } from '@hypercode/client';
import { buildApps, spawnArchitect, WORKSPACE } from '@hypercode/testkit';
import { ClaimResult } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startDashboard } from './dashboard.ts';
import { fillSwarm } from './sample-swarm.ts';

const SIZE = { width: 1280, height: 760 };
const folder = process.argv[2];
/** The replica reports what it counted every few seconds. */
const REPORTED_MS = 6_000;

await buildApps();
const dashboard = await startDashboard();
const { core } = dashboard;
const namespace = 'default';
const send = async (path: string, json: object): Promise<unknown> => {
  const answer = await core.fetch(path, { namespace, method: 'POST', json });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
};

const { paths } = await fillSwarm(core, namespace);
const architect = await spawnArchitect({ SWARM_URL: core.url, SWARM_JOIN_TOKEN: core.joinToken });
const joining = { url: core.url, token: core.joinToken, role: 'worker', version: '1.0.0' };
const release = Promise.withResolvers<undefined>();
const workers = await Promise.all(
  ['grace', 'hopper'].map((name) =>
    connectAgent({ ...joining, name, capabilities: ['collect', 'summarize', 'publish'] }),
  ),
);
for (const worker of workers) {
  serveTasks(worker, {
    collect: async () => ({ articles: 12 }),
    summarize: async (_task, context) => {
      const options = [
        { id: 'en', label: 'English' },
        { id: 'de', label: 'German' },
      ];
      const { answer } = await context.ask({ text: 'Which language should the summary be in?', options });
      await release.promise;
      return { language: answer };
    },
    publish: async () => null,
  });
}
const fateId = await makeFate();
const listeners: TopicListener[] = [];
const talkers = await makeTraffic();
const planId = await makePlan();
await sleep(REPORTED_MS);

const context = await dashboard.browser.newContext({ viewport: SIZE, reducedMotion: 'reduce' });
const page = await context.newPage();
await page.goto(await dashboard.link(core.adminToken));
await page.getByRole('navigation', { name: 'Screens' }).waitFor();
if (folder === undefined) {
  const images = join(WORKSPACE, 'docs/images');
  await picture(page, '/needs-you', join(images, 'needs-you.png'));
  await picture(page, '/map', join(images, 'map.png'));
  await picture(page, `/events/${fateId}`, join(images, 'event-fate.png'));
  await picture(page, `/plans/${planId}`, join(images, 'plan.png'));
} else {
  mkdirSync(folder, { recursive: true });
  const all = [...paths.filter((path) => !path.startsWith('/events/')), `/events/${fateId}`, `/plans/${planId}`];
  const more = [
    '/agents?group=role',
    '/events?tree=true',
    '/map?view=graph',
    `/plans/${planId}?view=list`,
    '/system?span=day',
  ];
  for (const theme of ['light', 'dark']) {
    for (const path of [...all, ...more]) {
      await picture(
        page,
        path,
        join(
          folder,
          `${path
            .slice(1)
            .replaceAll(/[^a-z]+/g, '-')
            .slice(0, 24)}-${theme}.png`,
        ),
        theme,
      );
    }
  }
}

release.resolve(undefined);
await context.close();
for (const listener of listeners) listener.stop();
for (const agent of [...workers, ...talkers]) await agent.stop();
await architect.close();
await dashboard.close();

async function picture(at: Page, path: string, file: string, theme = 'light'): Promise<void> {
  await at.evaluate(`history.pushState({}, '', ${JSON.stringify(path)})`);
  await at.evaluate(`document.documentElement.dataset.theme = ${JSON.stringify(theme)}`);
  await at.getByRole('main').getByRole('heading').first().waitFor();
  await at.getByRole('status').getByText('Live', { exact: true }).waitFor();
  // This process makes the swarm and draws the page, too.
  for (const words of ['reading…', 'Drawing…', 'is overloaded'])
    await at.getByText(words).first().waitFor({ state: 'detached' });
  await untilStill(at);
  await at.screenshot({ path: file });
  console.log(file);
}

/** Until nothing but times has changed in what the screen says for a second. */
async function untilStill(at: Page): Promise<void> {
  const look = async (): Promise<string> => (await at.getByRole('main').innerText()).replaceAll(/\d+/g, '');
  let before = '';
  for (let now = await look(); now !== before; now = await look()) {
    before = now;
    await sleep(1000);
  }
}

/** An event that two groups take: one after a failure, the other not at all. Gives its id. */
async function makeFate(): Promise<string> {
  const id = randomUUID();
  const cause = randomUUID();
  for (const [group, maxDeliveries] of [
    ['shipping', 5],
    ['billing', 2],
  ] as const)
    await send(`/v1/groups/${group}/claim`, { topics: ['order.made'], maxDeliveries, consumer: `${group}-1` });
  await send('/v1/events', { id: cause, topic: 'cart.checked-out', data: { cart: 7 } });
  await send('/v1/events', { id, topic: 'order.made', data: { order: 7, total: 42 }, causationId: cause });
  const claim = async (group: string, consumer: string): Promise<string[]> => {
    const { deliveries } = ClaimResult.parse(await send(`/v1/groups/${group}/claim`, { consumer, waitMs: 10_000 }));
    return deliveries.map(({ deliveryId }) => deliveryId);
  };
  const fail = async (group: string, consumer: string, reason: string): Promise<void> => {
    const deliveryIds = await claim(group, consumer);
    await sleep(150);
    await send(`/v1/groups/${group}/nack`, { deliveryIds, reason });
  };
  await fail('shipping', 'shipping-1', 'the printer has no paper');
  await fail('billing', 'billing-1', 'card service: 503');
  await fail('billing', 'billing-2', 'card service: 503');
  const deliveryIds = await claim('shipping', 'shipping-2');
  await sleep(200);
  await send('/v1/events', { topic: 'parcel.sent', data: { order: 7 }, causationId: id });
  await send(`/v1/groups/shipping/ack`, { deliveryIds });
  return id;
}

/** Events that agents publish and groups and streams receive, so that the map has something to show. */
async function makeTraffic(): Promise<readonly ConnectedAgent[]> {
  const crafts = [
    ['lovelace', 'coder', 'build.finished', 24],
    ['turing', 'coder', 'code.pushed', 40],
    ['knuth', 'coder', 'code.pushed', 9],
    ['liskov', 'qa', 'test.failed', 6],
    ['perlis', 'qa', 'review.done', 15],
  ] as const;
  for (const [group, topics] of [
    ['testers', ['build.>']],
    ['reviewers', ['code.>']],
    ['release-notes', ['review.>', 'test.>']],
  ] as const)
    await send(`/v1/groups/${group}/claim`, { topics });
  const agents: ConnectedAgent[] = [];
  for (const [name, role] of crafts) agents.push(await connectAgent({ ...joining, name, role, capabilities: [] }));
  for (const agent of agents) {
    const topics = agent.agent.role === 'coder' ? ['review.>', 'test.>'] : ['code.>'];
    const listener = agent.client.on(topics, () => {});
    listeners.push(listener);
    await listener.attached;
  }
  for (const [index, [, , topic, count]] of crafts.entries())
    for (let number = 1; number <= count; number += 1) await agents[index]?.client.publish(topic, { number });
  for (const group of ['testers', 'reviewers', 'release-notes']) await send(`/v1/groups/${group}/claim`, { max: 100 });
  return agents;
}

/** A plan under way, of which one task asks. Gives its id. */
async function makePlan(): Promise<string> {
  const steps = [
    { id: 'news', title: 'Collect the news', capability: 'collect' },
    { id: 'papers', title: 'Collect the papers', capability: 'collect' },
    { id: 'summary', title: 'Write the summary', capability: 'summarize', dependsOn: ['news', 'papers'] },
    { id: 'letter', title: 'Send the newsletter', capability: 'publish', dependsOn: ['summary'] },
  ];
  await send('/v1/goals', { goalId: randomUUID(), title: 'The newsletter of this week', steps });
  for (;;) {
    const { plans } = (await (await core.fetch('/v1/plans?limit=10', { namespace })).json()) as {
      plans: { planId: string; title: string }[];
    };
    const found = plans.find(({ title }) => title.startsWith('The newsletter'));
    if (found !== undefined) {
      const { questions } = (await (await core.fetch('/v1/questions', { namespace })).json()) as {
        questions: unknown[];
      };
      if (questions.length > 0) return found.planId;
    }
    await sleep(250);
  }
}
