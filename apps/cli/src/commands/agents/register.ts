// `swarm agents register`: an agent that is described on the command line or in a file.
import type { AgentRegistrationInput } from '@hypercode/client';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { readJsonFile } from '../../connection/json-file.ts';
import { green } from '../../output/parts.ts';
import { command, duration, list, optionalArgument, text } from '../../program/command.ts';
import { wrongUsage } from '../../program/exit-codes.ts';
import { labelsOf } from './agent-filter.ts';

export const agentsRegister = command({
  path: ['agents', 'register'],
  summary: 'Register an agent, and write its token to a file',
  details:
    'Register an agent, or register it again. The token of the agent is written to --token-out (mode 0600), or printed as part of the JSON ' +
    'with --json; it is shown only once. Needs an admin or a join token.',
  calls: ['registry.register'],
  args: { agent: optionalArgument('Name of the agent; --file may have it', 'agent') },
  options: {
    role: text('ROLE', 'Role of the agent', { completes: 'role' }),
    agentVersion: text('VERSION', 'Version of the agent (default: 0.0.0)'),
    description: text('TEXT', 'What the agent is for'),
    capability: list('ID', 'Something that the agent can do'),
    publishes: list('PATTERN', 'Topics that the agent publishes'),
    subscribes: list('PATTERN', 'Topics that the agent subscribes to'),
    label: list('KEY=VALUE', 'A label'),
    healthUrl: text('URL', 'Where the core asks whether the agent is healthy'),
    lease: duration('For how long the agent may be silent before it is unhealthy'),
    file: text('FILE', 'An AgentRegistration as JSON; other options win. - is stdin', {
      short: 'f',
      completes: 'file',
    }),
    tokenOut: text('FILE', 'Where to write the token of the agent', { completes: 'file' }),
  },
  examples: [
    {
      run: 'swarm agents register grace --role worker --capability summarise --token-out grace.token',
      does: 'An agent, and its token in a file',
    },
    { run: 'swarm agents register --file agent.json --json', does: 'An agent that is described in a file' },
  ],
  async run(context, { args, options }) {
    const { output, surroundings } = context;
    const given: Partial<AgentRegistrationInput> =
      options.file === undefined ? {} : await readJsonFile(surroundings, options.file);
    const name = args.agent ?? given.name;
    const role = options.role ?? given.role;
    if (name === undefined) throw wrongUsage('the name of the agent is missing: give it, or a --file that has it');
    if (role === undefined) throw wrongUsage('the role of the agent is missing: give --role, or a --file that has it');
    if (options.tokenOut === undefined && !output.json) {
      throw wrongUsage('the token would be lost: give --token-out FILE, or --json to get it on stdout');
    }
    const topics = {
      publishes: options.publishes.length > 0 ? [...options.publishes] : (given.topics?.publishes ?? []),
      subscribes: options.subscribes.length > 0 ? [...options.subscribes] : (given.topics?.subscribes ?? []),
    };
    const client = await context.client();
    const result = await client.registry.register({
      ...given,
      name,
      role,
      version: options.agentVersion ?? given.version ?? '0.0.0',
      topics,
      ...(options.description !== undefined && { description: options.description }),
      ...(options.capability.length > 0 && { capabilities: [...options.capability] }),
      ...(options.label.length > 0 && { labels: labelsOf(options.label) }),
      ...(options.healthUrl !== undefined && { healthUrl: options.healthUrl }),
      ...(options.lease !== undefined && { leaseMs: options.lease }),
    });
    if (options.tokenOut !== undefined)
      await writeFile(resolve(surroundings.cwd, options.tokenOut), `${result.token ?? ''}\n`, { mode: 0o600 });
    if (output.json) return output.object(result);
    output.line([green(result.outcome), ` agent ${result.agent.name}, token in ${options.tokenOut ?? ''}`]);
  },
});
