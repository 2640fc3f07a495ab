// `swarm complete -- WORDS`: the words that may come next, for the scripts of `swarm completion`. Not shown in help.
import type { SwarmClient } from '@hypercode/client';
import { readContexts } from '../../connection/config-file.ts';
import { type Command, command, type Completes, kebab, type Option, restArguments } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';
import { GLOBAL_OPTIONS } from '../../program/global-options.ts';

/** Most names that the core is asked for. */
const MOST_NAMES = 200;
/** A shell waits for the answer. */
const TIMEOUT_MS = 1_000;

/** The command, which completes the words of `all` commands. */
export const completeOf = (all: () => readonly Command[]): Command =>
  command({
    path: ['complete'],
    summary: 'Complete words, for the scripts of swarm completion',
    hidden: true,
    calls: ['bus.topics'],
    args: { words: restArguments('The words after swarm, the last one unfinished') },
    options: {},
    examples: [{ run: 'swarm complete -- agents get a', does: 'What may stand there' }],
    async run(context, { args: { words } }) {
      const unfinished = words.at(-1) ?? '';
      const candidates = await candidatesFor(context, words.slice(0, -1), unfinished, all());
      for (const candidate of candidates) {
        if (candidate.startsWith(unfinished) || candidate === FILE) context.output.line(candidate);
      }
    },
  });

/** Tells the script to complete names of files. */
const FILE = ':file';

async function candidatesFor(
  context: CommandContext,
  before: readonly string[],
  unfinished: string,
  all: readonly Command[],
): Promise<readonly string[]> {
  const visible = all.filter(({ hidden }) => hidden !== true);
  const [first, second] = before.filter((word) => !word.startsWith('-'));
  const found = visible.find(({ path }) => path[0] === first && (path.length === 1 || path[1] === second));
  const options: Readonly<Record<string, Option>> = { ...GLOBAL_OPTIONS, ...found?.options };
  const named = Object.entries(options);
  const last = before.at(-1) ?? '';
  const [, valued] =
    named.find(([name, { kind, short }]) => kind !== 'flag' && (last === `--${kebab(name)}` || last === `-${short}`)) ??
    [];
  if (valued !== undefined) {
    if (valued.kind === 'text' && valued.choices !== undefined) return valued.choices;
    return namesOf(context, valued.completes, unfinished);
  }
  if (unfinished.startsWith('-')) return [...named.map(([name]) => `--${kebab(name)}`), '--help'];
  if (found === undefined) {
    const words = first === undefined ? visible.map(({ path }) => path[0]) : [];
    const verbs = visible.flatMap(({ path }) => (path[0] === first && path[1] !== undefined ? [path[1]] : []));
    return [...new Set([...words, ...verbs])];
  }
  const given = positionals(before, named).length - found.path.length;
  const list = Object.values(found.args);
  const next = list[given] ?? (list.at(-1)?.kind === 'rest' ? list.at(-1) : undefined);
  return next?.choices ?? namesOf(context, next?.completes, unfinished);
}

/** The words that are neither options nor values of options. */
function positionals(words: readonly string[], named: readonly (readonly [string, Option])[]): string[] {
  return words.filter((word, index) => {
    const previous = words[index - 1] ?? '';
    const isValue = named.some(
      ([name, { kind, short }]) => kind !== 'flag' && (previous === `--${kebab(name)}` || previous === `-${short}`),
    );
    return !word.startsWith('-') && !isValue;
  });
}

async function namesOf(
  context: CommandContext,
  completes: Completes | undefined,
  unfinished: string,
): Promise<readonly string[]> {
  if (completes === undefined) return [];
  if (completes === 'file') return [FILE];
  if (completes === 'context') return Object.keys((await readContexts(context.env)).contexts);
  // Without a core, nothing is completed, and nothing is said.
  try {
    return await liveNames(await context.client(), completes, unfinished);
  } catch {
    return [];
  }
}

async function liveNames(client: SwarmClient, completes: Completes, unfinished: string): Promise<readonly string[]> {
  const call = { timeoutMs: TIMEOUT_MS };
  switch (completes) {
    case 'agent':
    case 'role': {
      const text = completes === 'agent' && unfinished !== '' ? { text: unfinished } : {};
      const { agents } = await client.registry.query({ ...text, view: 'summary', limit: MOST_NAMES }, call);
      return [...new Set(agents.map(({ name, role }) => (completes === 'agent' ? name : role)))];
    }
    case 'group':
      return (await client.bus.groups({ limit: MOST_NAMES }, call)).groups.map(({ group }) => group);
    case 'topic':
      return (await client.bus.topics({ limit: MOST_NAMES }, call)).topics.map(({ topic }) => topic);
    case 'plan':
      return (await client.plans.list({ limit: MOST_NAMES }, call)).plans.map((plan) => plan.planId);
    default:
      return [];
  }
}
