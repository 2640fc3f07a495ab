// One run of the command line: parse, run one command, and end with its exit code.
import { CommanderError } from 'commander';
import { Output } from '../output/output.ts';
import { styled } from '../output/parts.ts';
import type { Surroundings } from '../output/terminal.ts';
import type { Command } from './command.ts';
import { CommandContext } from './context.ts';
import { explainError } from './explain-error.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { createProgram, type Parsed } from './program.ts';

export interface RunOptions {
  readonly commands: readonly Command[];
  readonly groups: Readonly<Record<string, string>>;
  readonly version: string;
}

/** How long a command may take to end after Ctrl-C when it does not say it, in milliseconds. */
const END_MS = 2_000;

/** Runs the words after `swarm`. Never rejects. */
export async function runCommandLine(
  words: readonly string[],
  surroundings: Surroundings,
  { commands, groups, version }: RunOptions,
): Promise<ExitCode> {
  let parsed: Parsed | undefined;
  const { stdout, stderr, env } = surroundings;
  const program = createProgram({
    commands,
    groups,
    version,
    onCommand: (given) => (parsed = given),
    write: { out: (text) => void stdout.write(text), err: (text) => void stderr.write(text) },
    columns: Math.min(stdout.isTTY === true ? stdout.columns || 80 : 80, 120),
  });
  try {
    // Without a word, what there is.
    program.parse(words.length === 0 ? ['--help'] : words, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    throw error;
  }
  if (parsed === undefined) return EXIT.usage;
  const context = new CommandContext(surroundings, parsed.global);
  try {
    return await untilInterrupted(run(parsed, context), surroundings, parsed.command.endsWithinMs ?? END_MS);
  } finally {
    await Promise.race([context.close(), later(surroundings, END_MS)]);
  }

  async function run({ command, input }: Parsed, running: CommandContext): Promise<ExitCode> {
    try {
      const code = await command.run(running, input);
      return code ?? (surroundings.signal.aborted ? EXIT.interrupted : EXIT.done);
    } catch (error) {
      if (surroundings.signal.aborted) return EXIT.interrupted;
      const { exitCode, message, hint } = await explainError(error, running);
      const output = new Output({ streams: surroundings, env, json: false });
      if (message !== '') output.note([styled('red', 'swarm:'), ' ', message]);
      if (hint !== undefined) output.note(`       ${hint}`);
      return exitCode;
    }
  }
}

/** The command's own end; after Ctrl-C it has a moment to end by itself. */
function untilInterrupted(
  running: Promise<ExitCode>,
  surroundings: Surroundings,
  endsWithinMs: number,
): Promise<ExitCode> {
  const { signal } = surroundings;
  const interruptedLate = new Promise<ExitCode>((resolve) => {
    const wait = (): void => void later(surroundings, endsWithinMs).then(() => resolve(EXIT.interrupted));
    if (signal.aborted) wait();
    else signal.addEventListener('abort', wait, { once: true });
  });
  return Promise.race([running, interruptedLate]);
}

const later = ({ clock }: Surroundings, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.schedule(ms, resolve));
