// `swarm audit ls` and `swarm audit verify`: what operators and admins did, and whether the record is the one that was written.
import { type AuditEntry, verifyAudit } from '@hypercode/contracts';
import type { SwarmClient } from '@hypercode/client';
import { printList } from '../../output/listing.ts';
import { green, type Line, red, yellow } from '../../output/parts.ts';
import { showTime } from '../../output/times.ts';
import { command, text } from '../../program/command.ts';
import { EXIT } from '../../program/exit-codes.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';

const PAGE = 100;

export const auditLs = command({
  path: ['audit', 'ls'],
  summary: 'List what operators and admins did, newest first',
  details:
    'List what operators and admins did, newest first. Each act has an entry before it is done, and one with its outcome. Needs an admin token.',
  calls: ['audit.list'],
  args: {},
  options: {
    actor: text('ACTOR', 'Only acts of this token: its name, or its source'),
    action: text('PROCEDURE', 'Only this act, such as policy.put'),
    ...pageOptions('entries', PAGE),
  },
  examples: [
    { run: 'swarm audit ls', does: 'The newest acts' },
    { run: 'swarm audit ls --action policy.put --json', does: 'Who changed the policy, with before and after' },
  ],
  async run(context, { options }) {
    const client = await context.client();
    const { actor, action, ...page } = options;
    await printList<AuditEntry>(context.output, {
      columns: [
        { title: 'seq', value: ({ seq }) => String(seq), align: 'right' },
        { title: 'at', value: ({ at }) => showTime(at) },
        { title: 'actor', value: (entry) => entry.actor },
        { title: 'action', value: (entry) => entry.action },
        { title: 'target', value: ({ target }) => target },
        { title: 'outcome', value: ({ outcome }) => outcomeWord(outcome) },
        { title: 'reason', value: ({ reason }) => reason ?? '', optional: true },
      ],
      searched: `acts in the namespace ${await context.namespace()}`,
      all: page.all,
      async page(cursor) {
        const { entries, nextCursor } = await client.audit.list({
          ...(actor !== undefined && { actor }),
          ...(action !== undefined && { action }),
          ...pageInput(page, cursor, PAGE),
        });
        return { rows: entries, nextCursor };
      },
    });
  },
});

const outcomeWord = (outcome: string): Line =>
  outcome === 'done' ? green(outcome) : outcome === 'begun' ? yellow(outcome) : red(outcome);

export const auditVerify = command({
  path: ['audit', 'verify'],
  summary: 'Check the chain of hashes of the audit',
  details:
    'Check that the entries of the audit are those that were written: reads all of them, and computes the chain of hashes anew. With --head, a hash ' +
    'that was noted earlier must be among them. Prints the newest hash: keep it outside of the core. Exit code 1 when something is wrong.',
  calls: ['audit.list'],
  args: {},
  options: { head: text('HASH', 'A hash that was noted earlier, for example from the log of a core') },
  examples: [
    { run: 'swarm audit verify', does: 'Check the chain, and print its head' },
    { run: 'swarm audit verify --json', does: 'The same for a script' },
  ],
  async run(context, { options }) {
    const { output } = context;
    const client = await context.client();
    const checked = await verifyAudit(allEntries(client), { head: options.head });
    const { fault, entries, first, head } = checked;
    if (output.json) output.object(checked);
    else if (fault !== null) output.line([red('not as it was written: '), faultWords(fault)]);
    else if (head === null) output.line(`no acts in the namespace ${await context.namespace()}: nothing to check`);
    else output.line([green('as it was written: '), `${entries} entries, ${first} to ${head.seq}. Head: ${head.hash}`]);
    return fault === null ? EXIT.done : EXIT.no;
  },
});

const faultWords = ({ seq, fault }: { readonly seq: number | null; readonly fault: string }): string => {
  if (seq === null) return 'no entry has the hash of --head';
  return fault === 'missing' ? `entry ${seq} is missing` : `entry ${seq} was changed`;
};

async function* allEntries(client: SwarmClient): AsyncGenerator<AuditEntry> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.audit.list({ limit: PAGE, ...(cursor && { cursor }) });
    yield* page.entries;
    cursor = page.nextCursor;
  }
}
