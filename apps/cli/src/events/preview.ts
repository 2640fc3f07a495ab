// `events preview`: who would receive an event, without publishing it.
import type { PreviewResult } from '@hypercode/contracts';
import { argument, command, text } from '../program/command.ts';
import { EXIT } from '../program/exit-codes.ts';
import { bold, dim, green, type Line, red, yellow } from '../output/parts.ts';
import { type Branch, treeLines } from './tree-lines.ts';
import { type GroupNow, groupsNow, pausedWords } from './who-takes.ts';

export const eventsPreview = command({
  path: ['events', 'preview'],
  summary: 'Show who would receive an event of a topic, without publishing one',
  details: 'Ends with 1 when the event would be refused, or when nobody would receive it.',
  calls: ['bus.preview'],
  args: { topic: argument('The topic', 'topic') },
  options: { as: text('AGENT', 'As this agent (default: as the token)', { completes: 'agent' }) },
  examples: [
    { run: 'swarm events preview orders.created', does: 'Show which groups and streams take a topic' },
    { run: 'swarm events preview orders.created --as ada', does: 'Show whether an agent may publish it' },
  ],
  async run(context, { args, options }) {
    const { output, signal } = context;
    const client = await context.client();
    const preview = await client.bus.preview({ topic: args.topic, name: options.as }, { signal });
    if (output.json) output.object(preview);
    else {
      const groups = await groupsNow(client, preview.groups);
      for (const line of previewLines(args.topic, preview, { groups, as: options.as })) output.line(line);
    }
    return preview.allowed && isTaken(preview) ? EXIT.done : EXIT.no;
  },
});

const isTaken = ({ groups, otherGroups, streams }: PreviewResult): boolean =>
  groups.length > 0 || otherGroups > 0 || streams > 0;

interface Around {
  readonly groups: ReadonlyMap<string, GroupNow>;
  /** The agent that would publish it. */
  readonly as: string | undefined;
}

/** What would happen, as a tree. Pure. */
export function previewLines(topic: string, preview: PreviewResult, around: Around): Line[] {
  const { allowed, rule, circuit, because, groups, otherGroups, streams, silent, similar } = preview;
  const branches: Branch[] = [
    {
      line: allowed
        ? [green('✓ '), `may be published${rule === null ? '' : ` by the rule ${rule}`}`]
        : [red('✗ '), red('would be refused'), rule === null ? '' : ` by the rule ${rule}`],
    },
    ...(circuit === null || circuit === 'closed'
      ? []
      : [{ line: [red('✗ '), `the circuit of the agent is ${circuit.replace('_', ' ')}`] }]),
    {
      line: groups.length + otherGroups === 0 ? yellow('no group takes it') : 'groups that take it',
      below: [
        ...groups.map((group) => ({ line: groupLine(group, around.groups.get(group)) })),
        ...(otherGroups === 0 ? [] : [{ line: dim(`${otherGroups} more that this token may not see`) }]),
      ],
    },
    {
      line:
        streams === 0
          ? yellow('no live stream receives it')
          : [green('✓ '), `${streams} live ${streams === 1 ? 'stream receives' : 'streams receive'} it`],
    },
    ...named('agents that declare the topic and do not listen', silent),
    ...named('topics with a similar name', similar),
  ];
  const [first = '', ...others] = advice(topic, preview, around);
  return [
    bold(topic),
    ...treeLines(branches),
    [bold('because: '), because],
    [bold('what to do: '), first],
    ...others.map((more) => `            ${more}`),
  ];
}

function groupLine(group: string, now: GroupNow | undefined): Line {
  if (now?.paused) return [yellow('· '), bold(group), '  ', yellow(pausedWords(now.paused))];
  if (now?.members === 0) return [yellow('· '), bold(group), '  ', yellow('nobody consumes it')];
  return [green('✓ '), bold(group)];
}

const named = (title: string, names: readonly string[]): Branch[] =>
  names.length === 0 ? [] : [{ line: yellow(title), below: names.map((name) => ({ line: name })) }];

/** What to do, the most urgent first; at least one sentence. */
function advice(topic: string, preview: PreviewResult, { groups, as = 'AGENT' }: Around): string[] {
  const { allowed, circuit, rule, silent, similar } = preview;
  const isOpen = circuit === 'open' || circuit === 'half_open';
  const refusals = [
    ...(isOpen ? [`find out why the agent fails, then close its circuit: swarm circuit reset ${as}`] : []),
    // Of an agent whose circuit is open it is known that a rule matches, or that none does.
    ...(!allowed && (!isOpen || rule === null)
      ? [
          'allow the topic in the policy: swarm policy get --json > policy.json, change it, swarm policy apply -f policy.json',
        ]
      : []),
  ];
  if (refusals.length > 0) return refusals;
  const waits = preview.groups.flatMap((group) => {
    const now = groups.get(group);
    if (now?.paused) return [`let ${group} go on: swarm groups resume ${group}`];
    return now?.members === 0 ? [`start a member of ${group}: nobody consumes it`] : [];
  });
  if (waits.length > 0) return waits;
  if (isTaken(preview)) return ['nothing: it would be received'];
  if (silent.length > 0) return [`start the consumer in ${silent[0]}, which declares the topic and does not listen`];
  if (similar.length > 0) return [`check the name: did you mean ${similar[0]}?`];
  return [`make a group or a stream that takes it: swarm listen --topics ${topic} --exec COMMAND`];
}
