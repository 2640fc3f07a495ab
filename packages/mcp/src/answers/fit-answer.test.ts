// Cutting answers: nothing is lost that cannot be asked for, and no answer is too large.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CutPart, fitAnswer } from './fit-answer.ts';

test('an answer that is small stays as it is', () => {
  const value = { a: [1, 'x', null, true, { b: 'c' }] };
  expect(fitAnswer(value)).toEqual({ value, cut: [] });
});

test('a text that is too long is read part by part, to its end', () => {
  const text = Array.from({ length: 20_000 }, (_, i) => String(i)).join(' ');
  let read = '';
  let part: CutPart | undefined;
  do {
    const { value, cut } = fitAnswer({ text }, part ?? { pointer: '/text', from: 0 }, 4096);
    read += String(value);
    [part] = cut;
  } while (part !== undefined);
  expect(read).toBe(text);
});

test('whatever agents say fits, and every part that was left out can be asked for', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 8 }), fc.integer({ min: 200, max: 5000 }), (value, characters) => {
      const answer = { value, more: Array.from({ length: 50 }, () => value) };
      const { value: fitted, cut } = fitAnswer(answer, undefined, characters);
      if (JSON.stringify(answer).length * 2 < characters) expect(cut).toEqual([]);
      expect(JSON.stringify(fitted).length).toBeLessThan(Math.max(characters * 2, 3000));
      for (const part of cut) expect(() => fitAnswer(answer, part, characters)).not.toThrow();
    }),
  );
});

test('characters that act on a display are escapes, in names too', () => {
  const { value } = fitAnswer({ ['na\u202Eme']: 'line\nfeed\u001B[2J\u200B' });
  expect(value).toEqual({ [String.raw`na\u202eme`]: `line\nfeed${String.raw`\u001b[2J\u200b`}` });
});
