// `pnpm dev`: a core, then the Architect and two demo workers that join it, until Ctrl+C. The environment is the core's
// (docs/configuration.md) and the Architect's.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { z } from 'zod';
import { Child, type Program } from './child.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A program that ended by itself is started again after this, in milliseconds. */
const RESTART_MS = 2_000;
/** One that ends again and again is given up. */
const MAX_RESTARTS = 5;
const COLOURS = ['cyan', 'magenta', 'green', 'yellow', 'blue'] as const;
const LISTENING = /listening on (https?:\/\/[^\s"',]+)/;
const CREDENTIALS = z.object({ joinToken: z.string() });

const running: Child[] = [];
let isStopping = false;

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (isStopping) process.exit(1);
    void stop(0);
  });
}

const url = await startCore();
const token = joinToken();
if (token === null) {
  say('dev', 'there is no join token (SWARM_JOIN_TOKEN), so the Architect and the workers stay away');
} else {
  for (const program of guests(url, token)) keep(program);
}

/** The address of the core, once it listens. Its end is the end of everything. */
function startCore(): Promise<string> {
  const { promise, resolve: found } = Promise.withResolvers<string>();
  const program = typescript('core', 'apps/core', 'src/main.ts', { args: ['--dev'], env: process.env });
  const core = new Child(program, {
    // The core's own lines stay as they are: scripts wait for the one that says where it listens.
    onLine(line) {
      process.stdout.write(`${line}\n`);
      const [, at] = LISTENING.exec(line) ?? [];
      if (at !== undefined) found(at);
    },
    onEnd: (reason) => {
      say('core', `has ended: ${reason}`);
      void stop(1);
    },
  });
  running.push(core);
  return promise;
}

function joinToken(): string | null {
  const { SWARM_JOIN_TOKEN: given = '', DATABASE_URL: database = '', SWARM_DATA_DIR: folder = '' } = process.env;
  if (given !== '') return given;
  if (database !== '') return null;
  const path = join(resolve(ROOT, folder === '' ? '.swarm' : folder), 'credentials.json');
  return CREDENTIALS.parse(JSON.parse(readFileSync(path, 'utf8'))).joinToken;
}

/** Those who join: the Architect, and workers that take its tasks. */
function guests(core: string, joining: string): Program[] {
  const { PATH, HOME, LANG } = process.env;
  const worker = { PATH, HOME, LANG, SWARM_URL: core, SWARM_TOKEN: joining };
  const architect = { ...process.env, SWARM_URL: core, SWARM_JOIN_TOKEN: joining };
  const examples = join(ROOT, 'examples');
  const python: Program = {
    name: 'scribe',
    command: 'python3',
    args: ['-u', 'python/worker.py'],
    cwd: examples,
    env: { ...worker, AGENT_NAME: 'scribe' },
  };
  const programs = [
    typescript('architect', 'apps/architect', 'src/main.ts', { args: ['--dev'], env: architect }),
    typescript('analyst', 'examples', 'task-worker.ts', { env: { ...worker, AGENT_NAME: 'analyst' } }),
  ];
  if (spawnSync('python3', ['--version']).status === 0) return [...programs, python];
  say('dev', 'there is no python3 here, so the second worker is another one in TypeScript');
  return [
    ...programs,
    typescript('scribe', 'examples', 'task-worker.ts', { env: { ...worker, AGENT_NAME: 'scribe' } }),
  ];
}

function typescript(
  name: string,
  folder: string,
  entry: string,
  { args = [], env }: { args?: readonly string[]; env: Program['env'] },
): Program {
  return {
    name,
    command: process.execPath,
    args: ['--import', import.meta.resolve('tsx'), entry, ...args],
    cwd: join(ROOT, folder),
    env,
  };
}

/** Runs the program, and runs it again when it has ended by itself. */
function keep(program: Program, restarts = 0): void {
  const { name } = program;
  const child = new Child(program, {
    onLine: (line) => say(name, line),
    onEnd(reason) {
      running.splice(running.indexOf(child), 1);
      if (isStopping) return;
      if (restarts >= MAX_RESTARTS) return say(name, `has ended again (${reason}), and is left alone`);
      say(name, `has ended (${reason}), and is started again`);
      setTimeout(() => {
        if (!isStopping) keep(program, restarts + 1);
      }, RESTART_MS);
    },
  });
  running.push(child);
}

/** The last to come is the first to go; the core goes last. */
async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const [core, ...others] = running;
  await Promise.all(others.map((child) => child.stop()));
  await core?.stop();
  process.exit(code);
}

function say(name: string, line: string): void {
  const colour = COLOURS[name.length % COLOURS.length] ?? 'cyan';
  process.stdout.write(`${styleText(colour, name.padEnd(9))} ${line}\n`);
}
