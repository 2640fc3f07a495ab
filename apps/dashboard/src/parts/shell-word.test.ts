import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { shellWord } from './shell-word.ts';

test('a shell reads every word as it was written', () => {
  const words = [
    'plain-word',
    "it's",
    '$(touch x)',
    '`id`',
    '"; rm -rf /',
    '',
    'two\nlines',
    '*',
    '~',
    '\\',
    '!!',
    'é',
  ];
  for (const shell of ['sh', 'bash']) {
    const read = words.map((word) => execFileSync(shell, ['-c', `printf %s ${shellWord(word)}`], { encoding: 'utf8' }));
    expect(read).toEqual(words);
  }
});
