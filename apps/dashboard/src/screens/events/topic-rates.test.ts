import { expect, test } from 'vitest';
import { TopicRates } from './topic-rates.ts';

test('an event counts for its topic and for each beginning of it, in the step in which it came', () => {
  let now = 1_000_000;
  const rates = new TopicRates(() => now);
  rates.add('build.done.late');
  now += 4_000;
  rates.add('build.done');
  rates.add('build.done');
  expect(rates.of('build.done').slice(-2)).toEqual([1, 2]);
  expect(rates.of('build').slice(-2)).toEqual([1, 2]);
  expect(rates.of('build.done.late').slice(-2)).toEqual([1, 0]);
  expect(rates.of('other')).toEqual(Array(30).fill(0));
});

test('what is older than two minutes is forgotten, also after a long silence', () => {
  let now = 1_000_000;
  const rates = new TopicRates(() => now);
  rates.add('a');
  now += 4_000 * 29;
  expect(rates.of('a')).toEqual([1, ...Array<number>(29).fill(0)]);
  now += 4_000;
  expect(rates.of('a')).toEqual(Array(30).fill(0));
  now += 4_000 * 300;
  rates.add('a');
  expect(rates.of('a')).toEqual([...Array<number>(29).fill(0), 1]);
});
