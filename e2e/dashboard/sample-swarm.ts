// A small swarm with something of everything, so that each screen of the dashboard has what it shows.
import { ClaimResult, Policy } from '@hypercode/contracts';
import type { TestCore } from '@hypercode/core-runtime/testing';
import { randomUUID } from 'node:crypto';

export interface SampleSwarm {
  readonly namespace: string;
  /** The screens of the dashboard on this swarm, each once. */
  readonly paths: readonly string[];
}

/** Words that would do harm if they became markup, or turned the text around. */
const HOSTILE = '<img src=x onerror="document.title=1"> \u202Eevil';

const AGENTS = [
  { name: 'architect', publishes: 'plan.>', role: 'architect', capabilities: ['plan'], labels: { zone: 'eu' } },
  {
    name: 'ada',
    publishes: 'code.>',
    role: 'coder',
    capabilities: ['code.write', 'code.review'],
    labels: { zone: 'eu', team: 'core' },
  },
  {
    name: 'babbage',
    publishes: 'build.>',
    role: 'coder',
    capabilities: ['code.write'],
    labels: { zone: 'us', team: 'core' },
  },
  {
    name: 'curie',
    publishes: 'test.>',
    role: 'qa',
    capabilities: ['test.run'],
    labels: { zone: 'eu', team: 'quality' },
  },
  {
    name: 'dijkstra',
    publishes: 'review.>',
    role: 'qa',
    capabilities: ['test.run', 'test.plan'],
    labels: { zone: 'us', team: 'quality' },
  },
  { name: 'eve', publishes: 'task.eve.>', role: 'worker', capabilities: ['translate'], labels: { zone: 'us' } },
] as const;

export async function fillSwarm(core: Pick<TestCore, 'fetch'>, namespace: string): Promise<SampleSwarm> {
  const send = async (path: string, json: object, method = 'POST'): Promise<unknown> => {
    const answer = await core.fetch(path, { namespace, method, json });
    const body: unknown = await answer.json();
    if (!answer.ok) throw new Error(`${path} was refused: ${JSON.stringify(body)}`);
    return body;
  };
  const publish = (topic: string, data: unknown, more: object = {}) => send('/v1/events', { topic, data, ...more });

  for (const agent of AGENTS) {
    const topics = { publishes: [agent.publishes], subscribes: [`task.${agent.name}.assigned`] };
    const { publishes: _, ...registration } = agent;
    await send('/v1/agents', {
      namespace,
      version: '1.4.0',
      description: `Works as ${agent.role}.`,
      topics,
      ...registration,
    });
  }
  await send('/trpc/circuit.trip', { namespace, name: 'eve', reason: 'it answers with rubbish' });

  const [group, orders] = ['builders', 'orders'];
  for (const one of [group, orders]) await send(`/v1/groups/${one}/claim`, { topics: [`${one}.>`], maxDeliveries: 1 });
  const id = randomUUID();
  await publish(`${group}.failed`, { words: HOSTILE }, { id });
  const { deliveries } = ClaimResult.parse(await send(`/v1/groups/${group}/claim`, {}));
  await send(`/v1/groups/${group}/nack`, { deliveryIds: deliveries.map((one) => one.deliveryId), reason: HOSTILE });
  for (let count = 1; count <= 12; count += 1) await publish(`${group}.started`, { build: count, branch: 'main' });
  await send(`/v1/groups/${orders}/pause`, { reason: 'the shop is closed' });

  const goalId = randomUUID();
  const steps = ['design', 'write', 'review'].map((step, index, all) => ({
    ...{ id: step, title: `${step} the parser`, capability: index === 2 ? 'code.review' : 'code.write' },
    dependsOn: all.slice(Math.max(0, index - 1), index),
  }));
  await send('/v1/goals', { goalId, title: 'A parser for orders', steps });
  const { plans } = (await (await core.fetch('/v1/plans', { namespace })).json()) as { plans: { planId: string }[] };
  const planId = plans[0]?.planId ?? '';

  const policy = Policy.parse(await (await core.fetch('/v1/policy', { namespace })).json());
  const roles = { ...policy.roles, auditor: { publish: [], subscribe: ['system.>'] } };
  await send('/v1/policy', { policy: { roles, default: policy.default } }, 'PUT');
  await send('/v1/tokens', { kind: 'viewer', name: `wall screen of ${namespace}` });
  await send('/v1/tokens', { kind: 'join', name: 'ci', roles: ['coder'], names: ['ci-*'], maxUses: 20 });

  return {
    namespace,
    paths: [
      ...['/needs-you', '/agents', '/agents/eve', '/map', '/events', `/events/${id}`, '/groups', `/groups/${group}`],
      ...['/plans', `/plans/${planId}`, '/policy', '/policy?version=1', '/tokens', '/audit', '/system', '/none'],
    ],
  };
}
