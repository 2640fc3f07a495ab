// The fate of an event as a tree: what led to it, who let it in, what became of it in each group and stream, what followed. Pure.
import type { EventTrace, LoggedEvent } from '@hypercode/contracts';
import { bold, cyan, dim, green, type Line, type Part, partsOf, red, yellow } from '../output/parts.ts';
import { counted } from '../output/counted.ts';
import { showDuration } from '../output/times.ts';
import { sourceName, timeOfEvent } from './event-lines.ts';
import { exactText } from '../output/exact-json.ts';
import { type Branch, treeLines } from './tree-lines.ts';
import { type Around, NOTHING_AROUND, whatToDo } from './what-to-do.ts';

type Fate = EventTrace['groups'][number];
type Stream = EventTrace['streams']['list'][number];

/** Most characters of data that are shown. */
const DATA_LENGTH = 120;
/** Most patterns of a stream that are shown. */
const PATTERNS = 3;

export function traceLines(trace: EventTrace, nowMs: number, around: Around = NOTHING_AROUND): Line[] {
  const { event: logged, causes, effects, effectsComplete } = trace;
  const { event, position, appendedAt } = logged;
  const at = (iso: string): string => timeOfEvent(iso, nowMs);
  const branches: Branch[] = [
    { line: [dim('id '), event.id] },
    { line: [dim('from '), cyan(event.source)] },
    { line: [dim('at '), position, dim(appendedAt === null ? ', time not kept' : `, appended ${at(appendedAt)}`)] },
    { line: [dim('data '), shortened(exactText(event.data))] },
    { line: admission(trace) },
    ...(trace.kept ? [] : [{ line: yellow('the log has removed it; what follows is what groups still hold') }]),
    ...(trace.duplicates === 0
      ? []
      : [{ line: `published again ${times(trace.duplicates)}; the repetitions added nothing` }]),
    groupsBranch(trace, at),
    streamsBranch(trace, at),
    {
      line: effectsTitle(effects.length, effectsComplete),
      below: effects.map((effect) => ({ line: relative(effect, at) })),
    },
  ];
  const [first = '', ...others] = whatToDo(trace, around);
  return [
    ...causeLines(causes, at),
    [bold(event.topic), ...(causes.length === 0 ? [] : [dim('  <- this event')])],
    ...treeLines(branches),
    [bold('what to do: '), first],
    ...others.map((more) => `            ${more}`),
  ];
}

/** Data in part: the whole is in `--json` and in `events find`. */
const shortened = (text: string): string => (text.length <= DATA_LENGTH ? text : `${text.slice(0, DATA_LENGTH)}…`);

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function admission({ admittedBy }: EventTrace): Line {
  if (admittedBy === null) return dim('admitted; by which rule is not kept');
  const { source, rule, policyVersion } = admittedBy;
  if (rule === null) return [green('✓ '), `admitted: no policy limits ${sourceName(source)}`];
  return [
    green('✓ '),
    `admitted by the rule ${rule}`,
    dim(policyVersion === null ? '' : ` of policy version ${policyVersion}`),
  ];
}

/** The farthest cause first, each deeper than the one before. */
function causeLines(causes: readonly LoggedEvent[], at: (iso: string) => string): Line[] {
  if (causes.length === 0) return [];
  return [dim('caused by'), ...causes.toReversed().map((cause): Line => ['  ', ...relative(cause, at), dim(' →')])];
}

const relative = ({ event, appendedAt }: LoggedEvent, at: (iso: string) => string): Part[] => [
  event.topic,
  dim(`  ${sourceName(event.source)}  ${at(appendedAt ?? event.time)}  `),
  dim(event.id),
];

function effectsTitle(count: number, isComplete: boolean): Line {
  const rest = isComplete ? '' : ', and perhaps more: the log was searched in part';
  if (count === 0)
    return dim(
      isComplete
        ? 'no event followed from it'
        : 'no event was found that followed from it; the log was searched in part',
    );
  return `${counted(count, 'event')} followed from it${rest}`;
}

function groupsBranch({ groups, otherGroups }: EventTrace, at: (iso: string) => string): Branch {
  const concerned = groups.filter(({ state }) => state !== 'not_matching' && state !== 'before_group');
  const others = groups.filter((fate) => !concerned.includes(fate));
  const below: Branch[] = [
    ...concerned.map((fate) => ({
      line: fateLine(fate, at),
      below: fate.history.map((one) => attemptBranch(one, at)),
    })),
    ...others.map((fate) => ({ line: fateLine(fate, at) })),
    ...(otherGroups === 0 ? [] : [{ line: dim(`${otherGroups} more that this token may not see`) }]),
  ];
  return { line: below.length === 0 ? dim('no group exists') : 'groups', below };
}

function attemptBranch(attempt: Fate['history'][number], at: (iso: string) => string): Branch {
  const tookMs = Date.parse(attempt.failedAt) - Date.parse(attempt.deliveredAt);
  const why = attempt.reason ?? 'it was not acknowledged before its deadline';
  return {
    line: [
      dim(`attempt ${attempt.attempt}: `),
      cyan(attempt.consumer),
      dim(` had it at ${at(attempt.deliveredAt)} for ${showDuration(tookMs)}: `),
      red(why),
    ],
  };
}

function fateLine(fate: Fate, at: (iso: string) => string): Line {
  const { group, attempt, consumer, settledBy, deliveredAt, dueAt, settledAt, reason } = fate;
  const when = (iso: string | null, before: string): string => (iso === null ? '' : `${before}${at(iso)}`);
  const who = consumer ?? 'a member';
  const number = attempt === null || attempt === 0 ? '' : `, attempt ${attempt}`;
  const line = (sign: Part, words: Line): Line => [sign, bold(group), '  ', ...partsOf(words)];
  switch (fate.state) {
    case 'in_flight':
      return line(yellow('→ '), [
        yellow('in flight'),
        `: ${who} has it${when(deliveredAt, ' since ')}${number}`,
        dim(when(dueAt, ', until ')),
      ]);
    case 'waiting':
      return line(yellow('· '), [
        yellow('waiting'),
        ` to be delivered again${when(dueAt, ' at ')}${attempt === null || attempt === 0 ? '' : `, after attempt ${attempt}`}`,
        ...(reason === null ? [] : [': ', red(reason)]),
      ]);
    case 'dead':
      return line(red('✗ '), [
        red('dead letter'),
        attempt === null || attempt === 0 ? '' : ` after ${counted(attempt, 'attempt')}`,
        ...(reason === null ? [] : [': ', red(reason)]),
      ]);
    case 'acked':
      return line(green('✓ '), [
        green('acknowledged'),
        ` by ${settledBy ?? who}${when(settledAt, ' at ')}${number}${took(deliveredAt, settledAt)}`,
      ]);
    case 'discarded':
      return line(red('✗ '), [red('discarded'), ` by ${settledBy ?? 'an operator'}${when(settledAt, ' at ')}`]);
    case 'skipped':
      return line(red('✗ '), [red('skipped'), `: ${SKIPPED[reason ?? ''] ?? reason ?? 'the group went past it'}`]);
    case 'unread':
      return line(yellow('· '), [yellow('unread'), ': the group has yet to come to it']);
    case 'not_matching':
      return line('  ', dim('does not take this topic'));
    case 'before_group':
      return line('  ', dim('began after it'));
    case 'unknown':
      return line('  ', dim('has passed it; what became of it is not kept'));
  }
}

const took = (deliveredAt: string | null, settledAt: string | null): string =>
  deliveredAt === null || settledAt === null
    ? ''
    : `, after ${showDuration(Date.parse(settledAt) - Date.parse(deliveredAt))}`;

const SKIPPED: Readonly<Record<string, string>> = {
  seek: 'the group was moved past it',
  retention: 'the log removed it before the group came to it',
  log_lost: 'the store of the log lost it before the group came to it',
};

function streamsBranch({ streams }: EventTrace, at: (iso: string) => string): Branch {
  const { list, omitted, asOf } = streams;
  const below: Branch[] = [
    ...list.map((stream) => ({ line: streamLine(stream) })),
    ...(omitted === 0 ? [] : [{ line: dim(`${omitted} more that are not shown`) }]),
  ];
  if (below.length === 0) return { line: dim('no stream is open now') };
  return { line: ['streams that are open now', dim(`, as of ${at(asOf)}`)], below };
}

const STREAM_WORDS: Readonly<Record<Stream['state'], readonly [sign: Part, words: Line]>> = {
  passed: [green('✓ '), green('has had it')],
  behind: [yellow('· '), yellow('has yet to come to it')],
  began_later: ['  ', dim('began after it')],
  not_matching: ['  ', dim('asks for other topics')],
  not_allowed: [red('✗ '), red('may not receive this topic')],
};

function streamLine({ caller, topics, state }: Stream): Line {
  const [sign, words] = STREAM_WORDS[state] ?? ['  ', state];
  const shown = topics.slice(0, PATTERNS).join(' ');
  const more = topics.length > PATTERNS ? ` and ${topics.length - PATTERNS} more` : '';
  return [sign, bold(sourceName(caller)), '  ', ...partsOf(words), dim(`  (${shown}${more})`)];
}
