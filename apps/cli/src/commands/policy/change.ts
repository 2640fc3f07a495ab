// `swarm policy diff` and `swarm policy apply`: a policy from a file.
import { command, flag, text } from '../../program/command.ts';
import { EXIT, wrongUsage } from '../../program/exit-codes.ts';
import { differences, policyInFile, printDifferences, printEffect } from './policy-change.ts';

const file = text('FILE', 'The policy as JSON, as swarm policy get --json prints it; - is stdin', {
  short: 'f',
  completes: 'file',
});
const needed = (): Error => wrongUsage('the policy is missing: give --file FILE');

export const policyDiff = command({
  path: ['policy', 'diff'],
  summary: 'Show what a policy would change, and who would lose what',
  details:
    'Show what a policy in a file would change, and who would lose what. Changes nothing. Exit code 1 when there are differences. Needs an admin token.',
  calls: ['policy.put'],
  args: {},
  options: { file },
  examples: [{ run: 'swarm policy diff -f policy.json', does: 'What would be different', ends: EXIT.no }],
  async run(context, { options }) {
    const { output, surroundings } = context;
    if (options.file === undefined) throw needed();
    const { rules } = await policyInFile(surroundings, options.file);
    const client = await context.client();
    const [inForce, changed] = await Promise.all([
      client.policy.get({}),
      client.policy.put({ policy: rules, dryRun: true }),
    ]);
    const hunks = await differences(inForce, changed);
    if (output.json) {
      const after = { roles: changed.roles, default: changed.default };
      output.object({ before: inForce, after, effect: changed.effect });
    } else if (hunks.length === 0) {
      output.note('No differences.');
    } else {
      printDifferences(output, hunks);
      printEffect(output, changed);
    }
    return hunks.length === 0 ? EXIT.done : EXIT.no;
  },
});

export const policyApply = command({
  path: ['policy', 'apply'],
  summary: 'Replace the policy by one from a file',
  details:
    'Replace the policy by one from a file. Shows first what is different and who loses what, and asks. A version in the file must be the one in ' +
    'force, so that no change of another person is lost; --force replaces any. Needs an admin token.',
  calls: ['policy.put'],
  args: {},
  options: { file, force: flag('Replace whatever version is in force') },
  examples: [{ run: 'swarm policy apply -f policy.json --yes', does: 'Replace the policy, without a question' }],
  async run(context, { options }) {
    const { output, surroundings } = context;
    if (options.file === undefined) throw needed();
    const { rules, version } = await policyInFile(surroundings, options.file);
    const client = await context.client();
    const [inForce, effect] = await Promise.all([
      client.policy.get({}),
      client.policy.put({ policy: rules, dryRun: true }),
    ]);
    const hunks = await differences(inForce, effect);
    if (hunks.length === 0) {
      output.note('No differences: nothing was changed.');
      return;
    }
    if (!output.json) {
      printDifferences(output, hunks);
      printEffect(output, effect);
    }
    await context.confirm(`Replace version ${inForce.version} of the policy?`);
    const ifVersion = options.force ? undefined : (version ?? inForce.version);
    const put = await client.policy.put({ policy: rules, ...(ifVersion !== undefined && { ifVersion }) });
    if (output.json) return output.object(put);
    output.line(`The policy has version ${put.version}.`);
  },
});
