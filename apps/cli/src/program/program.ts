// The command table as a program of commander: parsing, help with examples, and suggestions for mistyped words.
import { Argument as Positional, Command as Program, Option as ProgramOption } from 'commander';
import { type Argument, type Command, kebab, type Option } from './command.ts';
import { GLOBAL_OPTIONS, type GlobalOptions } from './global-options.ts';
import { parserOf } from './parse-values.ts';

export interface Parsed {
  readonly command: Command;
  readonly global: GlobalOptions;
  readonly input: Parameters<Command['run']>[1];
}

export interface ProgramOptions {
  readonly commands: readonly Command[];
  readonly version: string;
  /** What each group of commands is about, by its word. */
  readonly groups: Readonly<Record<string, string>>;
  readonly onCommand: (parsed: Parsed) => void;
  readonly write: { readonly out: (text: string) => void; readonly err: (text: string) => void };
  /** The width of help. */
  readonly columns: number;
}

/** After the list of commands: where to begin. */
const START = `
What is wrong?                  swarm doctor
Why did an event not arrive?    swarm events trace ID, swarm events preview TOPIC
How is a command used?          swarm cheat WORD
`;

/** Throws commander's errors in place of ending the process. */
export function createProgram({ commands, version, groups, onCommand, write, columns }: ProgramOptions): Program {
  const program = new Program('swarm')
    .description('The command line of HyperCode Swarm.')
    .version(version, '-V, --version', 'Print the version')
    .helpOption('-h, --help', 'Show help')
    .showHelpAfterError('(--help shows how)');
  const set = (one: Program): Program =>
    one
      .exitOverride()
      .configureOutput({
        writeOut: write.out,
        writeErr: write.err,
        getOutHelpWidth: () => columns,
        getErrHelpWidth: () => columns,
        getOutHasColors: () => false,
        getErrHasColors: () => false,
        outputError: (text, print) => print(text.replace(/^error: /, 'swarm: ')),
      })
      .configureHelp({ showGlobalOptions: true, sortSubcommands: false });
  set(program);
  program.helpCommand('help [command]', 'Show the help of a command').addHelpText('after', START);
  for (const [name, option] of Object.entries<Option>(GLOBAL_OPTIONS)) program.addOption(optionOf(name, option));

  const parents = new Map<string, Program>();
  for (const declared of commands) {
    const [first, second] = declared.path;
    const parent = second === undefined ? program : (parents.get(first) ?? addGroup(first));
    const leaf = set(parent.command(second ?? first, { hidden: declared.hidden === true })).description(
      declared.details ?? declared.summary,
    );
    leaf.summary(declared.summary).helpOption('-h, --help', 'Show help');
    const names = Object.keys(declared.args);
    for (const [name, argument] of Object.entries(declared.args)) leaf.addArgument(argumentOf(name, argument));
    for (const [name, option] of Object.entries(declared.options)) leaf.addOption(optionOf(name, option));
    leaf.addHelpText('after', examplesOf(declared));
    leaf.action((...given: unknown[]) => {
      const {
        url,
        tokenFile,
        context,
        namespace,
        json = false,
        yes = false,
      } = leaf.optsWithGlobals<Partial<GlobalOptions>>();
      onCommand({
        command: declared,
        global: { url, tokenFile, context, namespace, json, yes },
        // The parsers of arguments and options give the values of these types.
        input: {
          args: Object.fromEntries(names.map((name, index) => [name, given[index]])),
          options: { ...absentOf(declared.options), ...leaf.opts() },
        } as Parsed['input'],
      });
    });
  }
  return program;

  function addGroup(word: string): Program {
    const group = set(program.command(word))
      .description(groups[word] ?? word)
      .helpOption('-h, --help', 'Show help');
    // `helpCommand(false)`: `swarm help agents` is there; a word `help` in each group is not.
    group.helpCommand(false);
    parents.set(word, group);
    return group;
  }
}

/** What commander leaves out when it was not given. */
const absentOf = (options: Command['options']): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(options).map(([name, { kind }]) => [
      name,
      kind === 'flag' ? false : kind === 'list' ? [] : undefined,
    ]),
  );

function optionOf(name: string, option: Option): ProgramOption {
  const short = option.short === undefined ? '' : `-${option.short}, `;
  const long = `${short}--${kebab(name)}`;
  if (option.kind === 'flag') return new ProgramOption(long, option.summary);
  const more = option.kind === 'list' ? ' (may be given more than once)' : '';
  const made = new ProgramOption(`${long} <${option.value}>`, option.summary + more).argParser(parserOf(option));
  return option.kind === 'text' && option.choices !== undefined ? made.choices(option.choices) : made;
}

function argumentOf(name: string, { kind, optional = false, summary, choices }: Argument): Positional {
  const word = kebab(name).toUpperCase() + (kind === 'rest' ? '...' : '');
  const made = new Positional(optional ? `[${word}]` : `<${word}>`, summary);
  return choices === undefined ? made : made.choices(choices);
}

const examplesOf = ({ examples }: Command): string =>
  `\nExamples:\n${examples.map(({ run, does }) => `  # ${does}\n  $ ${run}`).join('\n\n')}\n`;
