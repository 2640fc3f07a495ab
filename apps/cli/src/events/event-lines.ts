// An event as a person reads it: when, what about and from whom; below it its id and its data, cut to the terminal.
import type { LoggedEvent } from '@hypercode/contracts';
import cliTruncate from 'cli-truncate';
import type { Output } from '../output/output.ts';
import { bold, cyan, dim, type Line } from '../output/parts.ts';
import { exactText } from '../output/exact-json.ts';

/** An event of the log; a live one comes without the time of appending. */
export type ShownEvent = Pick<LoggedEvent, 'position' | 'event'> & Partial<Pick<LoggedEvent, 'appendedAt'>>;

/** The publisher in short: the name of an agent, `operator NAME`, or `core`. */
export function sourceName(source: string): string {
  const [, kind, ...rest] = source.split('/');
  if (kind === 'agents' && rest.length === 2) return rest[1] ?? source;
  if (kind === 'operators' && rest.length === 1) return `operator ${rest[0]}`;
  return source === '/core' ? 'core' : source;
}

/** The source that a person means: one as it is, or the name of an agent. */
export const sourceOf = (given: string, namespace: string): string =>
  given.startsWith('/') ? given : `/agents/${namespace}/${given}`;

/** A time in UTC to the millisecond; only the time of day when it is the day of `nowMs`. */
export function timeOfEvent(iso: string, nowMs: number): string {
  const ms = Date.parse(iso);
  if (Number.isNaN(ms)) return iso;
  const [day, time = ''] = new Date(ms).toISOString().split('T');
  return new Date(nowMs).toISOString().startsWith(`${day}T`) ? time : `${day} ${time}`;
}

function eventLines({ event, appendedAt }: ShownEvent, nowMs: number): Line[] {
  return [
    [dim(timeOfEvent(appendedAt ?? event.time, nowMs)), '  ', bold(event.topic), '  ', cyan(sourceName(event.source))],
    ['    ', dim(event.id), '  ', exactText(event.data)],
  ];
}

/** Prints it, or with `--json` the object. Lines are no longer than the terminal is wide. */
export function printEvent(output: Output, shown: ShownEvent, nowMs: number): void {
  if (output.json) return output.object(shown);
  for (const line of eventLines(shown, nowMs)) printCut(output, line);
}

/** Prints a line, cut where the terminal ends. */
function printCut(output: Output, line: Line): void {
  const { columns } = output;
  if (!Number.isFinite(columns)) return output.line(line);
  output.printed(cliTruncate(output.shown(line), columns, { truncationCharacter: output.isUtf8 ? '…' : '~' }));
}
