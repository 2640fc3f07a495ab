// `events export`: the events of the log as a file of JSON Lines, which a start after a death goes on with.
import { resolve } from 'node:path';
import { SwarmError, type SwarmClient } from '@hypercode/client';
import type { ApiOutput } from '@hypercode/contracts';
import { startProgress } from '../output/progress.ts';
import { argument, command, flag, list } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { refused, wrongUsage } from '../program/exit-codes.ts';
import { ExportFile } from './export-file.ts';
import { Outage } from './outage.ts';
import { type EventFilter, FILTER_OPTIONS, filterOf, PAGE } from './read-filter.ts';
import { exactText } from '../output/exact-json.ts';

export const eventsExport = command({
  path: ['events', 'export'],
  summary: 'Write the events of the log to a file',
  details:
    'The file has one JSON object a line: {"position","appendedAt","event"}, exactly as the log has it. Until the export is complete, ' +
    'FILE.export.json stands beside it. When the export was interrupted, or killed, the same command goes on ' +
    'where it was: nothing is lost and nothing is there twice. It ends at the end of the log. FILE - is stdout.',
  calls: ['bus.read', 'bus.topics'],
  args: { file: argument('The file to write', 'file') },
  options: {
    topics: list('PATTERN', 'Only these topics (default: everything that the token may read)', { completes: 'topic' }),
    ...FILTER_OPTIONS,
    append: flag('Add what has come since the export was completed'),
    acceptGap: flag('Go on when the log has removed events that were not exported'),
  },
  examples: [
    { run: 'swarm events export all.jsonl', does: 'Export everything that is kept' },
    { run: 'swarm events export builds.jsonl --topics "build.>" --since 1h', does: 'Export an hour of builds' },
    { run: 'swarm events export all.jsonl --append', does: 'Add what has come since' },
  ],
  async run(context, { args, options }) {
    const { append, acceptGap, topics, ...times } = options;
    const filter = await filterOf(context, { args: { topics }, options: times });
    const client = await context.client();
    if (args.file === '-') {
      if (append) throw wrongUsage('stdout cannot be appended to');
      return exportToStdout(context, client, filter);
    }
    const { url } = await context.target();
    const given = Object.fromEntries(
      Object.entries({ ...times, topics }).flatMap(([name, value]) =>
        value === undefined || value.length === 0 ? [] : [[name, value]],
      ),
    );
    const query = { url, namespace: await context.namespace(), given };
    const file = await ExportFile.open(resolve(context.surroundings.cwd, args.file), query, { filter, append });
    try {
      await exportToFile(context, client, { file, path: args.file, acceptGap });
    } finally {
      await file.close();
    }
  },
});

async function exportToStdout(
  { output, clock, signal }: CommandContext,
  client: SwarmClient,
  filter: EventFilter,
): Promise<void> {
  const outage = new Outage({ clock, signal, note: (line) => output.note(line) });
  for await (const { events } of pages(client, filter, { after: undefined, outage })) {
    for (const logged of events) {
      if (output.streams.stdout.isTTY === true) output.object(logged);
      else output.printed(exactText(logged));
    }
    await output.drained();
  }
}

interface ExportTarget {
  readonly file: ExportFile;
  readonly path: string;
  readonly acceptGap: boolean;
}

async function exportToFile(context: CommandContext, client: SwarmClient, target: ExportTarget): Promise<void> {
  const { output, clock, signal } = context;
  const { file, path, acceptGap } = target;
  const outage = new Outage({ clock, signal, note: (line) => output.note(line) });
  if (file.events > 0) output.note(`${path} has ${file.events} events already: going on after ${file.position}`);
  const progress = await startProgress(output, await mostEvents(client, file, outage), 'exporting');
  let events = file.events;
  let after = file.position ?? undefined;
  const startedMs = clock.monotonicMs();
  try {
    for (;;) {
      try {
        for await (const page of pages(client, file.filter, { after, outage })) {
          await file.append(page.events);
          events += page.events.length;
          after = page.next;
          const seconds = Math.max(0.001, (clock.monotonicMs() - startedMs) / 1000);
          progress.at(events, `${events} events, ${Math.round((events - file.events) / seconds)} a second`);
        }
        break;
      } catch (error) {
        if (!SwarmError.from(error).is('COMPACTED')) throw error;
        const message = `the log has removed events after ${after ?? 'its beginning'} that were not exported`;
        if (!acceptGap) throw refused(message, '--accept-gap goes on with the oldest event that is kept');
        output.note(message);
        after = undefined;
      }
    }
  } finally {
    progress.end();
  }
  await file.complete();
  if (output.json) output.object({ file: path, events, added: events - file.events, position: after ?? null });
  else output.line(`${path}: ${events} events${file.events === 0 ? '' : `, ${events - file.events} of them new`}`);
}

/** About how many events the file will have, for the bar. */
async function mostEvents(client: SwarmClient, { events }: ExportFile, outage: Outage): Promise<number> {
  const { log } = await outage.call(() => client.bus.topics({ limit: 1 }, { signal: outage.signal }));
  return Math.max(log.kept, events);
}

/** The log from a position on, page by page, to its end. */
async function* pages(
  client: SwarmClient,
  filter: EventFilter,
  { after: first, outage }: { readonly after: string | undefined; readonly outage: Outage },
): AsyncGenerator<ApiOutput<'bus.read'>> {
  for (let after = first; ;) {
    const input = { ...filter, after, limit: PAGE };
    const page = await outage.call(() => client.bus.read(input, { signal: outage.signal }));
    yield page;
    if (page.end) return;
    after = page.next;
  }
}
