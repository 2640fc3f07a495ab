// `events preview`: who would receive an event, without publishing it.
import type { PreviewResult } from '@hypercode/contracts';
import { argument, command, text } from '../program/command.ts';
import { EXIT } from '../program/exit-codes.ts';
import { bold, dim, green, type Line, red, yellow } from '../output/parts.ts';
import { type Branch, treeLines } from './tree-lines.ts';

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
    else for (const line of previewLines(args.topic, preview)) output.line(line);
    return preview.allowed && isTaken(preview) ? EXIT.done : EXIT.no;
  },
});

const isTaken = ({ groups, otherGroups, streams }: PreviewResult): boolean =>
  groups.length > 0 || otherGroups > 0 || streams > 0;

/** What would happen, as a tree. Pure. */
export function previewLines(topic: string, preview: PreviewResult): Line[] {
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
        ...groups.map((group) => ({ line: [green('✓ '), bold(group)] })),
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
  return [
    bold(topic),
    ...treeLines(branches),
    [bold('because: '), because],
    [bold('what to do: '), advice(topic, preview)],
  ];
}

const named = (title: string, names: readonly string[]): Branch[] =>
  names.length === 0 ? [] : [{ line: yellow(title), below: names.map((name) => ({ line: name })) }];

function advice(topic: string, preview: PreviewResult): string {
  const { allowed, circuit, silent, similar } = preview;
  if (circuit === 'open' || circuit === 'half_open')
    return 'find out why the agent fails, then close its circuit: swarm circuit reset NAME';
  if (!allowed) return 'allow the topic in the policy: swarm policy get, swarm policy apply -f FILE';
  if (isTaken(preview)) return 'nothing: it would be received';
  if (silent.length > 0) return `start the consumer in ${silent[0]}, which declares the topic and does not listen`;
  if (similar.length > 0) return `check the name: did you mean ${similar[0]}?`;
  return `make a group or a stream that takes it: swarm listen --topics ${topic} --exec COMMAND`;
}
