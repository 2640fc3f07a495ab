// `swarm policy get`: the policy in force.
import type { RolePolicy } from '@hypercode/contracts';
import type { Output } from '../../output/output.ts';
import { bold, dim, red } from '../../output/parts.ts';
import { command } from '../../program/command.ts';

export const policyGet = command({
  path: ['policy', 'get'],
  summary: 'Show the policy in force',
  details:
    'Show the policy in force: what each role may do. With --json it is one line, which swarm policy apply takes.',
  calls: ['policy.get'],
  args: {},
  options: {},
  examples: [
    { run: 'swarm policy get', does: 'Who may do what' },
    { run: 'swarm policy get --json', does: 'A copy to edit, for swarm policy apply' },
  ],
  async run(context) {
    const { output } = context;
    const policy = await (await context.client()).policy.get({});
    if (output.json) return output.object(policy);
    output.line(
      `Version ${policy.version}${policy.version === 0 ? ', as it ships' : ''}. A denial wins; what no pattern allows is denied.`,
    );
    for (const [role, rules] of Object.entries(policy.roles)) printRole(output, role, rules);
    printRole(output, 'every other role', policy.default);
  },
});

/** Of the widest name, with the space after it. */
const WIDTH = 'never subscribe  '.length;

function printRole(output: Output, role: string, rules: RolePolicy): void {
  output.line();
  output.line(bold(role));
  const { publish, subscribe, denyPublish = [], denySubscribe = [], consume = [], offers = ['*'] } = rules;
  const lists = { publishes: publish, subscribes: subscribe, consumes: consume, offers };
  for (const [what, patterns] of Object.entries(lists)) {
    output.line([dim(`  ${what.padEnd(WIDTH)}`), patterns.length === 0 ? '-' : patterns.join('  ')]);
  }
  const denials = { publish: denyPublish, subscribe: denySubscribe };
  for (const [what, patterns] of Object.entries(denials)) {
    if (patterns.length > 0) output.line([red(`  ${`never ${what}`.padEnd(WIDTH)}`), patterns.join('  ')]);
  }
}
