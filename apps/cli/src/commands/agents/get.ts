// `swarm agents get`: one agent with all that the registry knows of it.
import type { Agent } from '@hypercode/client';
import { agentName } from '../../connection/names.ts';
import type { Line } from '../../output/parts.ts';
import { partsOf } from '../../output/parts.ts';
import { stateWord } from '../../output/states.ts';
import { printFacts } from '../../output/table.ts';
import { showAgo, showDuration, showTime } from '../../output/times.ts';
import { argument, command } from '../../program/command.ts';

export const agentsGet = command({
  path: ['agents', 'get'],
  summary: 'Show one agent',
  calls: ['registry.get'],
  args: { agent: argument('Name of the agent, or the beginning of it', 'agent') },
  options: {},
  examples: [
    { run: 'swarm agents get ada', does: 'All that is known of the agent ada' },
    { run: 'swarm agents get ada --json', does: 'The same for a script' },
  ],
  async run(context, { args }) {
    const { output, clock } = context;
    const client = await context.client();
    const agent = await client.registry.get({ name: await agentName(client, args.agent) });
    if (output.json) return output.object(agent);
    printFacts(output, factsOf(agent, clock.epochMs()));
  },
});

const listOf = (items: readonly string[]): string => (items.length === 0 ? '-' : items.join(', '));

function factsOf(agent: Agent, nowMs: number): (readonly [string, Line])[] {
  const { status } = agent;
  const until = status.circuitOpenUntil === null ? '' : ` (until ${showTime(status.circuitOpenUntil)})`;
  // An agent has one reason: of its circuit when that is not closed, otherwise of its health.
  const isOpen = status.circuit !== 'closed';
  const why = status.reason === null ? '' : `: ${status.reason}`;
  return [
    ['name', agent.name],
    ['namespace', agent.namespace],
    ['role', agent.role],
    ['version', agent.version],
    ['description', agent.description ?? '-'],
    ['health', [...partsOf(stateWord(status.health)), isOpen ? '' : why]],
    ['activity', [...partsOf(stateWord(status.activity)), ` since ${showAgo(status.activitySince, nowMs)}`]],
    ['note', status.note ?? '-'],
    ['circuit', [...partsOf(stateWord(status.circuit)), until, isOpen ? why : '']],
    ['failures', String(status.consecutiveFailures)],
    ['last seen', `${showAgo(status.lastSeenAt, nowMs)}, lease ${showDuration(agent.leaseMs)}`],
    ['publishes', listOf(agent.topics.publishes)],
    ['subscribes', listOf(agent.topics.subscribes)],
    ['capabilities', listOf(agent.capabilities.map(({ id }) => id))],
    ['labels', listOf(Object.entries(agent.labels).map(([key, value]) => `${key}=${value}`))],
    ['health url', agent.healthUrl ?? '-'],
    ['incarnation', agent.incarnation ?? '-'],
    ['revision', `${agent.revision} (registration: ${agent.specRevision})`],
    ['registered', showTime(agent.registeredAt)],
  ];
}
