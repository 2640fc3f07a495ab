// The options of the commands that read events, and the filter that they make.
import type { ApiInput } from '@hypercode/contracts';
import { restArguments, text } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { wrongUsage } from '../program/exit-codes.ts';
import { parseSince } from '../output/times.ts';
import { sourceOf } from './event-lines.ts';

/** Most events of one page. */
export const PAGE = 500;

export const TOPICS = restArguments(
  'Topics and patterns, such as build.* or build.> (default: everything that the token may read)',
  'topic',
);

export const FILTER_OPTIONS = {
  source: text('SOURCE', 'Only events of this source: the name of an agent, or a whole source such as /core', {
    completes: 'agent',
  }),
  correlation: text('ID', 'Only events of this conversation (correlationId)'),
  causation: text('ID', 'Only events that this event led to (causationId)'),
  since: text('TIME', 'Only events that were appended at this time or later: 10m, 2026-03-01T12:00:00Z'),
  until: text('TIME', 'Only events that were appended before this time'),
};

interface FilterInput {
  readonly args: { readonly topics: readonly string[] };
  readonly options: { readonly [Name in keyof typeof FILTER_OPTIONS]?: string | undefined };
}

export type EventFilter = Pick<
  NonNullable<ApiInput<'bus.read'>>,
  'topics' | 'source' | 'correlationId' | 'causationId' | 'since' | 'until'
>;

export async function filterOf(context: CommandContext, { args, options }: FilterInput): Promise<EventFilter> {
  const { source, correlation, causation, since, until } = options;
  return {
    ...(args.topics.length === 0 ? {} : { topics: [...args.topics] }),
    ...(source === undefined ? {} : { source: sourceOf(source, await context.namespace()) }),
    ...(correlation === undefined ? {} : { correlationId: correlation }),
    ...(causation === undefined ? {} : { causationId: causation }),
    ...(since === undefined ? {} : { since: timeOf(context, '--since', since) }),
    ...(until === undefined ? {} : { until: timeOf(context, '--until', until) }),
  };
}

function timeOf({ clock }: CommandContext, option: string, given: string): string {
  const time = parseSince(given, clock.epochMs());
  if (time === undefined)
    throw wrongUsage(`${option}: "${given}" is neither a time nor a duration`, 'such as 10m, or 2026-03-01T12:00:00Z');
  return time;
}

/** What was searched, in words: for a result that is empty. */
export function searched({ topics, source, correlationId, causationId, since, until }: EventFilter): string {
  const words = [
    topics === undefined ? 'all topics' : topics.join(', '),
    source === undefined ? '' : `of ${source}`,
    correlationId === undefined ? '' : `in the conversation ${correlationId}`,
    causationId === undefined ? '' : `that ${causationId} led to`,
    since === undefined ? '' : `since ${since}`,
    until === undefined ? '' : `until ${until}`,
  ];
  return words.filter((word) => word !== '').join(' ');
}
