// `swarm policy explain`: whether an agent may do something, and which rule decides.
import { agentName } from '../../connection/names.ts';
import { green, red } from '../../output/parts.ts';
import { argument, command } from '../../program/command.ts';
import { EXIT } from '../../program/exit-codes.ts';

const ACTIONS = ['publish', 'subscribe', 'consume'] as const;

export const policyExplain = command({
  path: ['policy', 'explain'],
  summary: 'Explain whether an agent may publish, subscribe or consume',
  details:
    'Explain whether an agent may publish to a topic, subscribe to a pattern, or consume a group. Exit code 1 when it may not.',
  calls: ['policy.explain'],
  args: {
    agent: argument('Name of the agent, or the beginning of it', 'agent'),
    action: { ...argument('What it wants to do'), choices: ACTIONS },
    what: argument('The topic or pattern; the group, to consume', 'topic'),
  },
  options: {},
  examples: [
    { run: 'swarm policy explain ada publish orders.created', does: 'May ada publish this?' },
    { run: 'swarm policy explain ada consume orders', does: 'May ada work for this group?', ends: EXIT.no },
  ],
  async run(context, { args }) {
    const { output } = context;
    const client = await context.client();
    const action = args.action as (typeof ACTIONS)[number];
    const explained = await client.policy.explain({
      name: await agentName(client, args.agent),
      action,
      ...(action === 'consume' ? { group: args.what } : { topic: args.what }),
    });
    if (output.json) output.object(explained);
    else output.line([explained.allowed ? green('yes: ') : red('no: '), explained.because]);
    if (!explained.allowed)
      output.note('To allow it: swarm policy get --json > policy.json, change it, swarm policy apply -f policy.json.');
    return explained.allowed ? EXIT.done : EXIT.no;
  },
});
