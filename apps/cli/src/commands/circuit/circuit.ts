// `swarm circuit trip` and `swarm circuit reset`: whether the core accepts what an agent publishes.
import { agentName } from '../../connection/names.ts';
import { argument, command, text } from '../../program/command.ts';

export const circuitTrip = command({
  path: ['circuit', 'trip'],
  summary: 'Open the circuit of an agent until it is reset',
  details:
    'Open the circuit of an agent: the core refuses what it publishes, until swarm circuit reset. New processes of the agent included.',
  calls: ['circuit.trip'],
  args: { agent: argument('Name of the agent, or the beginning of it', 'agent') },
  options: { reason: text('TEXT', 'Why; shown with the agent') },
  examples: [{ run: 'swarm circuit trip ada --reason "floods the bus"', does: 'Stop what ada publishes' }],
  async run(context, { args, options: { reason } }) {
    const { output } = context;
    const client = await context.client();
    const name = await agentName(client, args.agent);
    const agent = await client.circuit.trip({ name, ...(reason !== undefined && { reason }) });
    if (output.json) return output.object(agent);
    output.line(`the circuit of ${name} is open; swarm circuit reset ${name} closes it`);
  },
});

export const circuitReset = command({
  path: ['circuit', 'reset'],
  summary: 'Close the circuit of an agent, and forget its failures',
  calls: ['circuit.reset'],
  args: { agent: argument('Name of the agent', 'agent') },
  options: {},
  examples: [{ run: 'swarm circuit reset ada', does: 'Let ada publish again' }],
  async run(context, { args: { agent: name } }) {
    const { output } = context;
    const client = await context.client();
    const agent = await client.circuit.reset({ name });
    if (output.json) return output.object(agent);
    output.line(`the circuit of ${name} is ${agent.status.circuit}`);
  },
});
