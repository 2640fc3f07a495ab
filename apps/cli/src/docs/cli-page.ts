// docs/cli.md, made from the command table.
import { type Argument, type Command, kebab, type Option } from '../program/command.ts';
import { GLOBAL_OPTIONS } from '../program/global-options.ts';

const HEADER = `# The command line

\`swarm\` shows and steers a swarm: \`pnpm swarm …\` in this workspace, \`npx @hypercode/cli …\` elsewhere. \`swarm --help\` lists the
commands, and the help of each command ends with examples. \`swarm cheat\` shows all examples, \`swarm doctor\` what is wrong.

## Which core

The first of these that is given:

1. \`--url\` and \`--token-file\` (\`-\` is stdin)
2. \`--context NAME\`
3. \`SWARM_URL\` and \`SWARM_TOKEN\`, or \`SWARM_TOKEN_FILE\`; \`SWARM_NAMESPACE\`
4. the context that \`swarm context use\` has chosen
5. the embedded core of the workspace: \`credentials.json\` in \`SWARM_DATA_DIR\`, or in \`.swarm\` of the folder or one above it

A token is never an argument, since every process of a machine can read the arguments of the others. Contexts are kept in
\`$XDG_CONFIG_HOME/swarm/contexts.json\` with mode 0600. The token of an embedded core is only sent to this machine.

## Output

Results are on stdout, everything else is on stderr. \`--json\` prints one object a line, with the fields of the API. Tables fit the terminal;
where stdout is no terminal, nothing is cut. \`NO_COLOR\` turns colours off. Control characters and characters that reorder text, which
agents may have written, are shown as escapes such as \`\\u001b\`. Names, plan ids and goal ids may be shortened to what is unique.

## Exit codes

| code | when |
| --- | --- |
| 0 | done |
| 1 | the answer is no: refused, not found, a check failed |
| 2 | wrong usage |
| 3 | no core is there, or it cannot answer now |
| 4 | not allowed: no token, a wrong one, or one that may not |
| 130 | interrupted |

This page is generated from the commands by \`node apps/cli/src/docs/write-docs.ts\`.
`;

/** The text of docs/cli.md. */
export function cliPage(commands: readonly Command[]): string {
  const sections = commands.filter(({ hidden }) => hidden !== true).map(sectionOf);
  return [HEADER, '## Options of every command\n', optionTable(GLOBAL_OPTIONS), ...sections].join('\n');
}

function sectionOf({ path, summary, details, args, options, examples }: Command): string {
  const words = Object.entries(args).map(([name, argument]) => argumentWord(name, argument));
  const usage = ['swarm', ...path, ...words].join(' ');
  const samples = examples.map(({ run, does }) => `# ${does}\n${run}`).join('\n\n');
  return [
    `\n## swarm ${path.join(' ')}\n`,
    `${details ?? `${summary}.`}\n`,
    `    ${usage}\n`,
    ...(words.length === 0 ? [] : [argumentTable(args)]),
    ...(Object.keys(options).length === 0 ? [] : [optionTable(options)]),
    `\`\`\`console\n${samples}\n\`\`\`\n`,
  ].join('\n');
}

function argumentWord(name: string, { kind, optional = false }: Argument): string {
  const word = kebab(name).toUpperCase() + (kind === 'rest' ? '...' : '');
  return optional ? `[${word}]` : word;
}

const argumentTable = (args: Command['args']): string =>
  tableOf(
    'argument',
    Object.entries(args).map(([name, argument]) => [argumentWord(name, argument), describe(argument)]),
  );

const optionTable = (options: Readonly<Record<string, Option>>): string =>
  tableOf(
    'option',
    Object.entries(options).map(([name, option]) => {
      const short = option.short === undefined ? '' : `-${option.short}, `;
      const value = option.kind === 'flag' ? '' : ` ${option.value}`;
      return [
        `${short}--${kebab(name)}${value}`,
        describe(option) + (option.kind === 'list' ? '; may be given more than once' : ''),
      ];
    }),
  );

const describe = (described: Argument | Option): string =>
  described.summary + ('choices' in described && described.choices ? `: ${described.choices.join(', ')}` : '');

const tableOf = (title: string, rows: readonly (readonly string[])[]): string =>
  [
    `| ${title} | meaning |`,
    '| --- | --- |',
    ...rows.map(([name = '', meaning = '']) => `| \`${name}\` | ${meaning.replaceAll('|', String.raw`\|`)} |`),
    '',
  ].join('\n');
