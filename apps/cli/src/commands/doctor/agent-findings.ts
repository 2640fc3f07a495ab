// What `swarm doctor` finds about agents: health, circuits, and topics that they declare and may not use.
import type { Agent, SwarmClient } from '@hypercode/client';
import { covers, type Policy, type RolePolicy } from '@hypercode/contracts';
import { shellWord } from '../../output/shell-word.ts';
import { type Finding, note, ok, wrong } from './findings.ts';

/** Agents that are looked at. */
const MOST_AGENTS = 5_000;
/** Findings of one kind that are shown by name. */
const SHOWN = 10;

export async function agentFindings(client: SwarmClient): Promise<Finding[]> {
  const policy = await client.policy.get({});
  const unhealthy: Finding[] = [];
  const open: Finding[] = [];
  const without: Finding[] = [];
  let count = 0;
  let cursor: string | null | undefined;
  do {
    const page = await client.registry.query({ limit: 500, ...(cursor && { cursor }) });
    for (const agent of page.agents) {
      const { name, status } = agent;
      count += 1;
      if (status.health === 'unhealthy') {
        unhealthy.push(
          wrong(
            `agent ${name} is unhealthy: ${status.reason ?? 'no reason given'}`,
            `is it running? swarm agents history ${name}`,
          ),
        );
      }
      if (status.circuit !== 'closed') {
        open.push(
          wrong(
            `circuit of ${name} is ${status.circuit.replace('_', ' ')}: ${status.reason ?? ''}`,
            `mend the agent, then swarm circuit reset ${name}`,
          ),
        );
      }
      const missing = missingRights(agent, policy);
      if (missing !== null) {
        const [action = '', topic = ''] = missing[0]?.split(' ') ?? [];
        const first = `${action} ${shellWord(topic)}`;
        without.push(
          wrong(
            `agent ${name} (${agent.role}) declares topics that it may not use: ${missing.join(', ')}`,
            `swarm policy explain ${name} ${first}; swarm policy apply -f FILE changes the policy`,
          ),
        );
      }
    }
    cursor = page.nextCursor;
  } while (cursor !== null && count < MOST_AGENTS);
  const findings = [unhealthy, open, without].flatMap(shortened);
  if (cursor !== null)
    findings.push(
      note(`only the first ${count} agents were looked at`, 'swarm agents ls --health unhealthy finds the others'),
    );
  return findings.length === 0
    ? [ok(`agents: ${count}, none unhealthy, refused or without the rights that it needs`)]
    : findings;
}

function shortened(findings: readonly Finding[]): Finding[] {
  const rest = findings.length - SHOWN;
  if (rest <= 0) return [...findings];
  return [...findings.slice(0, SHOWN), note(`and ${rest} more like this`, 'swarm agents ls')];
}

/** What the agent declares, and its role may not do, such as `publish a.b`; null: nothing. */
function missingRights({ name, role, topics }: Agent, policy: Policy): readonly string[] | null {
  const rules: RolePolicy = (Object.hasOwn(policy.roles, role) ? policy.roles[role] : undefined) ?? policy.default;
  const lacks = (wanted: readonly string[], allowed: readonly string[], denied: readonly string[] = []): string[] => {
    const named = (pattern: string): string =>
      pattern
        .split('.')
        .map((token) => (token === '{name}' ? name : token))
        .join('.');
    const may = (one: string): boolean =>
      allowed.some((pattern) => covers(named(pattern), one)) && !denied.some((pattern) => covers(named(pattern), one));
    return wanted.filter((one) => !may(one));
  };
  const parts = [
    ...lacks(topics.publishes, rules.publish, rules.denyPublish).map((topic) => `publish ${topic}`),
    ...lacks(topics.subscribes, rules.subscribe, rules.denySubscribe).map((topic) => `subscribe ${topic}`),
  ];
  return parts.length === 0 ? null : parts;
}
