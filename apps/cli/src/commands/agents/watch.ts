// `swarm agents watch`: each change of the registry, as it happens.
import { command } from '../../program/command.ts';
import { AGENT_FILTER, agentFilter } from './agent-filter.ts';
import { followAgents } from './follow-agents.ts';

export const agentsWatch = command({
  path: ['agents', 'watch'],
  summary: 'Show each change of the agents, as it happens',
  details:
    'Show each change of the agents that match, as it happens, until Ctrl-C. A core that does not answer is waited for, and no change is missed.',
  calls: ['registry.watch'],
  args: {},
  options: AGENT_FILTER,
  examples: [
    { run: 'swarm agents watch', does: 'Every change', follows: true },
    { run: 'swarm agents watch --role worker --json', does: 'Changes of workers, for a script', follows: true },
  ],
  run: (context, { options }) => followAgents(context, agentFilter(options), { onlyChanges: true }),
});
