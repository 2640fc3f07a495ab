// `swarm policy history`: the versions of the policy, and who put them.
import type { PolicyHistory } from '@hypercode/contracts';
import { printList } from '../../output/listing.ts';
import { showTime } from '../../output/times.ts';
import { command } from '../../program/command.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';

export const policyHistory = command({
  path: ['policy', 'history'],
  summary: 'List the versions of the policy, newest first',
  calls: ['policy.history'],
  args: {},
  options: pageOptions('versions', 100),
  examples: [{ run: 'swarm policy history', does: 'Who changed the policy, and when' }],
  async run(context, { options }) {
    const client = await context.client();
    await printList<PolicyHistory['versions'][number]>(context.output, {
      columns: [
        { title: 'version', value: ({ version }) => String(version), align: 'right' },
        { title: 'at', value: ({ at }) => showTime(at) },
        { title: 'by', value: ({ by }) => by ?? '-' },
        { title: 'roles', value: ({ roles }) => Object.keys(roles).join(' '), optional: true },
      ],
      searched: 'versions: the policy that ships is in force',
      all: options.all,
      async page(cursor) {
        const { versions, nextCursor } = await client.policy.history(pageInput(options, cursor, 100));
        return { rows: versions, nextCursor };
      },
    });
  },
});
