// The command table: each procedure has a command, each command has examples, and help ends with them.
import { procedures } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { commands, groups } from '../src/commands/table.ts';
import { GLOBAL_OPTIONS } from '../src/program/global-options.ts';
import { runSwarm } from './run-swarm.ts';

/** Procedures that have no command, with the reason. */
const WITHOUT: Readonly<Record<string, string>> = {
  'registry.update': 'agents change their own registration; swarm agents register does it for others',
  'registry.heartbeat': 'a process sends it for as long as it lives',
  'bus.claim': 'swarm listen consumes by a stream',
  'policy.putRole': 'swarm policy apply puts the whole policy, with its effect',
  'policy.removeRole': 'swarm policy apply puts the whole policy, with its effect',
};

test('no two commands have the same words, and each group says what it is about', () => {
  const words = commands.map(({ path }) => path.join(' '));
  expect(new Set(words).size).toBe(words.length);
  const inGroups = new Set(commands.flatMap(({ path }) => (path.length === 2 ? [path[0]] : [])));
  expect(new Set(Object.keys(groups))).toEqual(inGroups);
});

test('each procedure has a command, or a reason to have none', () => {
  const called = new Set<string>(commands.flatMap(({ calls }) => calls));
  const names = procedures.map(([name]) => name);
  const missing = names.filter((name) => !called.has(name) && !Object.hasOwn(WITHOUT, name));
  expect(missing).toEqual([]);
  expect(Object.keys(WITHOUT).filter((name) => called.has(name) || !names.some((known) => known === name))).toEqual([]);
});

test.each(commands.map((one) => [one.path.join(' '), one] as const))(
  'help of %s ends with its examples',
  async (words, one) => {
    const { exitCode, stdout } = await runSwarm(`${words} --help`);
    expect(exitCode).toBe(0);
    expect(one.examples.length).toBeGreaterThan(0);
    for (const { run } of one.examples) {
      expect(run.startsWith(`swarm ${words}`)).toBe(true);
      expect(stdout).toContain(`$ ${run}`);
    }
    const [, end = ''] = stdout.split('\nExamples:\n');
    expect(end).not.toMatch(/Options:/);
    for (const line of stdout.split('\nExamples:\n')[0]?.split('\n') ?? []) expect(line.length).toBeLessThanOrEqual(80);
  },
);

test('no option of a command hides one of all commands', () => {
  const clashing = commands.flatMap(({ path, options }) =>
    Object.keys(options)
      .filter((name) => Object.hasOwn(GLOBAL_OPTIONS, name))
      .map((name) => `${path.join(' ')} --${name}`),
  );
  expect(clashing).toEqual([]);
});
