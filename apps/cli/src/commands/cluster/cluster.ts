// `swarm cluster`: replicas and stores.
import type { NamespaceInfo, Replica } from '@hypercode/contracts';
import { bold, green, partsOf, red, yellow } from '../../output/parts.ts';
import { countWord } from '../../output/states.ts';
import { Table } from '../../output/table.ts';
import { showAgo } from '../../output/times.ts';
import { command } from '../../program/command.ts';

export const cluster = command({
  path: ['cluster'],
  summary: 'Show the replicas of the core, its stores and its namespaces',
  calls: ['cluster.status', 'namespaces.list'],
  args: {},
  options: {},
  examples: [
    { run: 'swarm cluster', does: 'Which replicas run, and whether the stores answer' },
    { run: 'swarm cluster --json', does: 'The same for a script' },
  ],
  async run(context) {
    const { output, clock } = context;
    const client = await context.client();
    const [status, { namespaces, nextCursor }] = await Promise.all([
      client.cluster.status({}),
      client.namespaces.list({}),
    ]);
    if (output.json) return output.object({ ...status, namespaces });
    const nowMs = clock.epochMs();
    const replicas = new Table<Replica>(output, [
      { title: 'replica', value: ({ id }) => id.slice(0, 8) },
      { title: 'host', value: ({ host }) => host },
      { title: 'version', value: ({ version }) => version },
      { title: 'up since', value: ({ startedAt }) => showAgo(startedAt, nowMs) },
      { title: 'seen', value: ({ seenAt }) => showAgo(seenAt, nowMs) },
      {
        title: 'streams',
        value: ({ streams }) => String(streams.watch + streams.subscribe + streams.consume),
        align: 'right',
      },
      { title: 'memory', value: ({ rssBytes }) => `${Math.round(rssBytes / 2 ** 20)} MiB`, align: 'right' },
      {
        title: 'late p99',
        value: ({ eventLoopP99Ms }) => `${eventLoopP99Ms.toFixed(1)} ms`,
        align: 'right',
        optional: true,
      },
    ]);
    for (const replica of status.replicas) replicas.add(replica);
    replicas.flush();
    output.line();
    for (const [name, { kind, version, ok, latencyMs }] of Object.entries(status.stores)) {
      const state = ok ? green('answers') : red('does not answer');
      const latency = latencyMs === null ? '' : ` in ${latencyMs.toFixed(1)} ms`;
      output.line([bold(name.padEnd(10)), `${kind} ${version ?? ''}  `, ...partsOf(state), latency]);
    }
    if (status.suspended.length > 0) {
      output.line(yellow(`the mass-failure guard holds in: ${status.suspended.join(', ')}`));
    }
    output.line();
    const table = new Table<NamespaceInfo>(output, [
      { title: 'namespace', value: ({ namespace }) => namespace },
      { title: 'agents', value: ({ agents }) => String(agents.total), align: 'right' },
      { title: 'unhealthy', value: ({ agents }) => countWord(agents.unhealthy), align: 'right' },
      { title: 'circuits open', value: ({ agents }) => countWord(agents.open), align: 'right' },
      { title: 'events', value: ({ events }) => String(events.kept), align: 'right' },
      { title: 'groups', value: ({ groups }) => String(groups), align: 'right' },
    ]);
    for (const one of namespaces) table.add(one);
    table.flush();
    if (nextCursor !== null) output.note(`These are the first ${namespaces.length} namespaces.`);
  },
});
