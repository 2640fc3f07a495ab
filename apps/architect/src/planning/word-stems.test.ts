// Which words are one to the matching of goals.
import { expect, test } from 'vitest';
import { stemsOf } from './word-stems.ts';

test.each([
  ['summarize summarise summarises summarised summarising summary summaries summarization summarisation summariser'],
  ['translate translates translated translating translation translations translator'],
  ['analyze analyse analysis analyses analyzing analyst analytics analytical'],
  ['research researches researched researching researcher'],
  ['write writes writing writer written'],
  ['code codes coding coder'],
  ['test tests testing tested tester'],
  ['plan plans planned planning planner'],
  ['deploy deploys deployed deployment'],
  ['notify notifies notified notification notifications'],
  ['verify verification'],
  ['edit editing editor'],
  ['query queries querying'],
  ['monitor monitoring monitors'],
  ['e-mail email emails E-Mail'],
  ['resume Résumé'],
])('%s', (words) => {
  expect(new Set(words.split(' ').flatMap((word) => stemsOf(word))).size).toBe(1);
});

test.each([
  ['translate', 'transfer'],
  ['test', 'text'],
  ['code', 'cook'],
  ['search', 'research'],
  ['data', 'date'],
  ['draft', 'draw'],
])('%s is not %s', (word, other) => {
  expect(stemsOf(word)).not.toEqual(stemsOf(other));
});

test('words that say nothing are left out, others stay in order', () => {
  expect(stemsOf('Please, could you then search THE web for 3 cats?')).toEqual(['search', 'web', '3', 'cat']);
});
