// `top`: the swarm on one screen, live.
import { hasColours } from '../output/terminal.ts';
import type { Line } from '../output/parts.ts';
import { command } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { EXIT, refused, wrongUsage } from '../program/exit-codes.ts';
import type { SwarmClient } from '@hypercode/client';
import { traceLines } from '../events/trace-lines.ts';
import { Feed } from './feed.ts';
import type { TraceTarget } from './swarm-view.ts';

export const top = command({
  path: ['top'],
  summary: 'Show the swarm on one screen, live',
  details:
    'Tabs: what needs attention, agents, the busiest topics, groups with their lag, plans. Tab, the arrows and 1 to 5 move; / filters; Enter ' +
    'traces the event of a row; q leaves.',
  calls: ['swarm.overview', 'registry.watch', 'plans.watch', 'bus.topics'],
  args: {},
  options: {},
  examples: [{ run: 'swarm top', does: 'Watch the swarm', ends: EXIT.usage }],
  async run(context) {
    const { output, clock, signal } = context;
    if (output.json) throw wrongUsage('top has no JSON', 'swarm status --json, swarm events tail -f --json');
    if (output.streams.stdout.isTTY !== true || output.streams.stdin.isTTY !== true)
      throw wrongUsage('top needs a terminal', 'swarm status prints the same once');
    const client = await context.client();
    // What is refused, or does not answer, is reported before the screen opens.
    await client.whoami({}, { signal });
    const { url } = await context.target();
    const { openScreen } = await import('./open-screen.tsx');
    const end = new AbortController();
    const feed = new Feed({ client, clock, signal: AbortSignal.any([signal, end.signal]) });
    const props = {
      feed,
      where: `${new URL(url).host} ${await context.namespace()}`,
      ascii: !output.isUtf8,
      colours: hasColours(output.streams.stdout, context.env),
      nowMs: () => clock.epochMs(),
      trace: (target: TraceTarget) => traceOf(context, client, target),
    };
    const screen = openScreen(output.streams, props, end.signal);
    const stop = (): void => end.abort();
    signal.addEventListener('abort', stop, { once: true });
    if (signal.aborted) stop();
    feed.ended.catch(stop);
    await screen;
    end.abort();
    await feed.ended;
  },
});

/** What became of the event that a row is about. */
async function traceOf(
  { clock, signal }: CommandContext,
  client: SwarmClient,
  target: TraceTarget,
): Promise<readonly Line[]> {
  const position = target.of === 'position' ? target.position : await positionIn(client, target, signal);
  return traceLines(await client.bus.trace({ position }, { signal }), clock.epochMs());
}

async function positionIn(
  client: SwarmClient,
  { of, group }: Extract<TraceTarget, { group: string }>,
  signal: AbortSignal,
): Promise<string> {
  const first =
    of === 'dead'
      ? (await client.bus.deadLetters({ group, limit: 1 }, { signal })).deadLetters[0]
      : (await client.groups.get({ group, limit: 1 }, { signal })).open[0];
  if (first === undefined) throw refused(`nothing is ${of} in ${group} any more`);
  return first.position;
}
