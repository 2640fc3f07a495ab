// Every state of a stream beside an event, by the first rule that holds.
import type { StreamState } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { type LogPosition, UNBEGUN } from '../store/position.ts';
import { streamState, type TracedStream } from './stream-state.ts';

const at = (seq: number, epoch = 'log'): LogPosition => ({ epoch, seq, nonce: 1 });
const EVENT = { position: at(5), topic: 'a.b' };
const STREAM: TracedStream = { topics: ['x', 'a.*'], hidden: [], since: at(2), cursor: at(4) };

test.each<[string, Partial<TracedStream>, StreamState]>([
  ['whose cursor stands before the event', {}, 'behind'],
  ['whose cursor stands at the event', { cursor: at(5) }, 'passed'],
  ['whose cursor stands after the event', { cursor: at(9) }, 'passed'],
  ['without a pattern that matches', { topics: ['a'], hidden: ['a.b'], since: at(9) }, 'not_matching'],
  ['from which the policy hides the topic', { hidden: ['z', 'a.>'], since: at(9), cursor: at(9) }, 'not_allowed'],
  ['that began at the event', { since: at(5), cursor: at(9) }, 'began_later'],
  ['that began after the event', { since: at(7), cursor: at(9) }, 'began_later'],
  ['that began with the log', { since: UNBEGUN, cursor: UNBEGUN }, 'behind'],
  ['that began in a log which was lost, and has come past the event', { since: at(9, 'old'), cursor: at(6) }, 'passed'],
  ['that stands in a log which was lost', { since: at(9, 'old'), cursor: at(9, 'old') }, 'behind'],
])('a stream %s', (_name, stream, state) => {
  expect(streamState({ ...STREAM, ...stream }, EVENT)).toBe(state);
});
