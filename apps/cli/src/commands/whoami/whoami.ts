// `swarm whoami`: the token that calls, and what it may do.
import { showAgo } from '../../output/times.ts';
import { printFacts } from '../../output/table.ts';
import { command } from '../../program/command.ts';

export const whoami = command({
  path: ['whoami'],
  summary: 'Show which token this is, and what it may do',
  calls: ['whoami'],
  args: {},
  options: {},
  examples: [
    { run: 'swarm whoami', does: 'Which core, which token, which rights' },
    { run: 'swarm whoami --json', does: 'The same for a script' },
  ],
  async run(context) {
    const { output, clock } = context;
    const [me, target] = await Promise.all([context.whoami(), context.target()]);
    if (output.json) return output.object({ ...me, url: target.url, from: target.from });
    const role = me.role === undefined ? '' : `, role ${me.role}`;
    printFacts(output, [
      ['core', `${target.url} (version ${me.core.version})`],
      ['token', `${me.kind} "${me.name}"${role}`],
      ['from', target.from],
      ['namespace', me.namespace ?? `every one; commands use ${await context.namespace()}`],
      ['expires', me.expiresAt === null ? 'never' : showAgo(me.expiresAt, clock.epochMs())],
      ['may call', me.may.length === 0 ? 'nothing' : me.may.join(', ')],
    ]);
  },
});
