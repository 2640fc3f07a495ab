// The options by which agents are chosen: those of `registry.query`, and what they say in words.
import type { Activity, AgentFilter, CircuitState, Health } from '@hypercode/client';
import { list, text } from '../../program/command.ts';
import { wrongUsage } from '../../program/exit-codes.ts';

export const AGENT_FILTER = {
  role: text('ROLE', 'Only agents of this role', { completes: 'role' }),
  capability: text('ID', 'Only agents that offer this capability'),
  topic: text('TOPIC', 'Only agents that declare a pattern that matches this topic', { completes: 'topic' }),
  health: text('STATE', 'Only agents with this health', { choices: ['unknown', 'healthy', 'unhealthy'] }),
  activity: text('STATE', 'Only agents with this activity', {
    choices: ['ready', 'busy', 'waiting', 'blocked', 'draining', 'paused'],
  }),
  circuit: text('STATE', 'Only agents with this circuit', { choices: ['closed', 'open', 'half_open'] }),
  label: list('KEY=VALUE', 'Only agents with this label'),
};

type Values = Readonly<Record<Exclude<keyof typeof AGENT_FILTER, 'label'>, string | undefined>> & {
  readonly label: readonly string[];
};

export function agentFilter({ role, capability, topic, health, activity, circuit, label }: Values): AgentFilter {
  return {
    ...(role !== undefined && { role }),
    ...(capability !== undefined && { capability }),
    ...(topic !== undefined && { topic }),
    ...(health !== undefined && { health: health as Health }),
    ...(activity !== undefined && { activity: activity as Activity }),
    ...(circuit !== undefined && { circuit: circuit as CircuitState }),
    ...(label.length > 0 && { labels: labelsOf(label) }),
  };
}

export const labelsOf = (given: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    given.map((label) => {
      const at = label.indexOf('=');
      if (at < 1) throw wrongUsage(`--label ${label}: a label is given as KEY=VALUE`);
      return [label.slice(0, at), label.slice(at + 1)];
    }),
  );

/** `agents with the role worker and the label team=a`. */
export function searchedAgents(given: Values, { words, namespace }: { words?: string; namespace: string }): string {
  const parts = [
    ...Object.entries(given).flatMap(([name, value]) =>
      typeof value === 'string' ? [`${name} ${value}`] : (value ?? []).map((one) => `label ${one}`),
    ),
    ...(words === undefined ? [] : [`the words "${words}"`]),
  ];
  return `agents${parts.length === 0 ? '' : ` with ${parts.join(', ')}`} in the namespace ${namespace}`;
}
