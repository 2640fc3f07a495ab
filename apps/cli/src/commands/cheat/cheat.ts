// `swarm cheat`: the examples of all commands on one page.
import { bold, cyan, dim } from '../../output/parts.ts';
import { type Command, command, optionalArgument } from '../../program/command.ts';
import { refused } from '../../program/exit-codes.ts';

/** The command, which shows the examples of `all` commands. */
export const cheatOf = (all: () => readonly Command[]): Command =>
  command({
    path: ['cheat'],
    summary: 'Show examples of all commands',
    calls: [],
    args: { word: optionalArgument('Only examples that have this word') },
    options: {},
    examples: [
      { run: 'swarm cheat', does: 'Examples of everything' },
      { run: 'swarm cheat dead', does: 'Examples about dead letters' },
    ],
    async run({ output }, { args: { word = '' } }) {
      const wanted = word.toLowerCase();
      let count = 0;
      for (const { path, summary, examples } of all()) {
        const isAbout = `${path.join(' ')} ${summary}`.toLowerCase().includes(wanted);
        const fitting = examples.filter(({ run, does }) => isAbout || `${run} ${does}`.toLowerCase().includes(wanted));
        if (fitting.length === 0) continue;
        if (!output.json) output.line([bold(path.join(' ')), dim(`  ${summary}`)]);
        for (const { run, does } of fitting) {
          count += 1;
          if (output.json) output.object({ command: path.join(' '), run, does });
          else output.line(['  ', cyan(run), dim(`  # ${does}`)]);
        }
      }
      if (count === 0) throw refused(`no example has the word "${word}"`);
    },
  });
