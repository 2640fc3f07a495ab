// The streams of all replicas beside one event, as a caller may see them.
import { type EventTrace, type StreamState, type StreamTrace } from '@hypercode/contracts';
import { type BusCaller, sourceOf } from '../admission/caller.ts';
import type { Policies } from '../policies/policies.ts';
import { type LogPosition, parsePosition } from '../store/position.ts';
import { callerOf } from './callers.ts';
import { streamState } from './stream-state.ts';
import type { Survey } from './stream-survey.ts';

/** Streams in a trace; those that have most to do with the event come first. */
const MAX_STREAMS = 500;
const ORDER: readonly StreamState[] = ['behind', 'passed', 'not_allowed', 'began_later', 'not_matching'];

/** To an agent, its own streams; the others are counted. */
export async function streamTraces(
  { asOf, audiences, omitted }: Survey,
  event: { readonly position: LogPosition; readonly topic: string },
  { caller, namespace, policies }: { caller: BusCaller; namespace: string; policies: Pick<Policies, 'accessOf'> },
): Promise<EventTrace['streams']> {
  const own = caller.kind === 'agent' ? sourceOf(caller) : null;
  const all = audiences.reduce((sum, { streams }) => sum + streams, 0);
  const traced: StreamTrace[] = [];
  for (const { replica, role, topics, callers } of audiences) {
    for (const { caller: source, ...positions } of callers) {
      const since = parsePosition(positions.since);
      const cursor = parsePosition(positions.cursor);
      // A release with other positions reports what this one cannot read.
      if ((own !== null && source !== own) || since === null || cursor === null) continue;
      const hidden = role === null ? [] : (await policies.accessOf(namespace, role, callerOf(source).name)).hidden;
      const state = streamState({ topics, hidden, since, cursor }, event);
      traced.push({ replica, caller: source, since: positions.since, topics, state });
    }
  }
  const list = traced
    .toSorted((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state) || compare(a.caller, b.caller))
    .slice(0, MAX_STREAMS);
  return { asOf, omitted: omitted + all - list.length, list };
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
