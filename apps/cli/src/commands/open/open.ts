// `swarm open`: a link to the dashboard that signs in.
import { command } from '../../program/command.ts';

export const open = command({
  path: ['open'],
  summary: 'Make a link that signs in to the dashboard',
  details:
    'Make a link that signs in to the dashboard with the rights of this token. It works once, and for two minutes: open it in a browser.',
  calls: ['sessions.code'],
  args: {},
  options: {},
  examples: [
    { run: 'swarm open', does: 'A link for yourself' },
    { run: 'swarm open --json', does: 'The same with the time at which it stops working' },
  ],
  async run(context) {
    const { output } = context;
    const client = await context.client();
    const code = await client.sessions.code();
    if (output.json) return output.object(code);
    output.line(code.url);
    output.note('It signs in once, within two minutes.');
  },
});
