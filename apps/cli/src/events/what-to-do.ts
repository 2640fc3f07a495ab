// The last lines of a trace: what a person does about it. Pure.
import type { EventTrace } from '@hypercode/contracts';
import { sourceName } from './event-lines.ts';
import { type GroupNow, pausedWords } from './who-takes.ts';

type Fate = EventTrace['groups'][number];

/** What a trace does not have: how its groups are now, and topics that are called nearly the same. */
export interface Around {
  readonly groups: ReadonlyMap<string, GroupNow>;
  readonly similar: readonly string[];
}
export const NOTHING_AROUND: Around = { groups: new Map(), similar: [] };

/** What to do, the most urgent first; at least one sentence. */
export function whatToDo(trace: EventTrace, around: Around): string[] {
  const { event, groups, streams } = trace;
  const { topic } = event.event;
  const of = (...states: readonly Fate['state'][]): Fate[] => groups.filter(({ state }) => states.includes(state));
  const advice = [
    ...of('dead').map(({ group }) => `mend the cause, then: swarm dead redrive ${group} --all`),
    ...of('waiting').map(({ group, dueAt }) =>
      dueAt === null
        ? `${group} delivers it again as soon as a member asks for work: swarm groups get ${group}`
        : `wait until ${group} delivers it again, or see what its members do: swarm groups get ${group}`,
    ),
    ...of('unread').map(({ group }) => unreadAdvice(group, around.groups.get(group))),
    ...of('skipped').map(({ group, reason }) =>
      reason === 'seek'
        ? `${group} was moved past it; to deliver it, move ${group} back: swarm groups seek ${group}`
        : `${group} did not get it before it was removed; publish it again if it still matters`,
    ),
    ...of('unknown').map(({ group }) => `ask a member of ${group}: no record is kept of what it did with the event`),
    ...of('in_flight').map(
      ({ group, consumer }) => `wait for ${consumer ?? `a member of ${group}`}, which works on it`,
    ),
  ];
  if (advice.length > 0) return advice;
  const isTaken = of('acked', 'discarded').length > 0 || streams.list.some(({ state }) => state === 'passed');
  if (isTaken) return ['nothing: every group and stream of this topic has received it'];
  const isHidden = trace.otherGroups > 0 || streams.omitted > 0;
  if (isHidden) return [`ask an operator: this token does not see who else takes ${topic}`];
  const denied = streams.list.find(({ state }) => state === 'not_allowed');
  if (denied !== undefined) {
    const name = sourceName(denied.caller);
    return [`allow ${name} to receive it: swarm policy explain ${name} subscribe ${topic}`];
  }
  if (streams.list.some(({ state }) => state === 'behind')) return ['wait: a stream has yet to come to it'];
  const [nearest] = around.similar;
  if (nearest !== undefined) return [`no group and no stream takes ${topic}: did you mean ${nearest}?`];
  return [`no group and no stream takes ${topic}: check its name, and who listens: swarm events preview ${topic}`];
}

function unreadAdvice(group: string, now: GroupNow | undefined): string {
  if (now === undefined) return `see whether ${group} is paused, or has no member: swarm groups get ${group}`;
  if (now.paused !== null) return `${group} is ${pausedWords(now.paused)}; let it go on: swarm groups resume ${group}`;
  if (now.members === 0) return `start a member of ${group}: nobody consumes it`;
  return `wait for a member of ${group}, or see what they do: swarm groups get ${group}`;
}
