// `pnpm dev`: a core with its dashboard, then the Architect and two demo workers, until Ctrl+C. A program that ends by itself is
// started again. The environment is the core's (docs/configuration.md) and the Architect's.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { styleText } from 'node:util';
import { z } from 'zod';
import { Child, type Program } from './child.ts';
import { buildOf, makeLink } from './dashboard.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** A program that ended by itself is started again after this, in milliseconds. */
const RESTART_MS = 2_000;
/**
 * A program that ends this often in a row is not started again. One that has lived for `STEADY_MS` begins a new row.
 */
const MAX_RESTARTS = 5;
const STEADY_MS = 60_000;
const COLOURS = ['cyan', 'magenta', 'green', 'yellow', 'blue'] as const;
const LISTENING = /listening on (https?:\/\/[^\s"',]+:(\d+))/;
/** What the Architect prints before it ends because of its port; another start ends the same way. */
const CANNOT_LISTEN = /cannot listen on/;
/** Where the examples look for the core when no SWARM_URL is set. */
const DEFAULT_PORT = '7700';
/** What the Architect and the workers print when they have joined; the Architect with its address. */
const JOINED = /architect active at (http:\S+)| has joined/;
const CREDENTIALS = z.object({ joinToken: z.string(), adminToken: z.string() });

interface Care {
  readonly onLine: (line: string) => void;
  readonly mayRestart?: () => boolean;
  readonly onGivenUp?: () => void;
}

/** By name. */
const running = new Map<string, Child>();
let isStopping = false;

// SIGHUP means that the terminal was closed, and may come twice. A second one of the others stops at once.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (isStopping && signal !== 'SIGHUP') process.exit(1);
    void stop(0);
  });
}
// The reader has closed the output.
process.stdout.on('error', () => void stop(1));

const url = await startCore();
if (!/^(?:false|0)$/.test(process.env['SWARM_UI'] ?? '')) void offerDashboard(url);
const token = tokenOf('SWARM_JOIN_TOKEN', 'joinToken');
if (token === null) {
  print('dev', 'SWARM_JOIN_TOKEN is not set, so the Architect and the workers are not started');
} else {
  const programs = guests(url, token);
  const starting = new Set(programs.map(({ name }) => name));
  let architect = '';
  for (const program of programs) {
    const { name } = program;
    const onLine = (line: string): void => {
      print(name, line);
      const [isThere, address] = JOINED.exec(line) ?? [];
      if (isThere === undefined || !starting.delete(name)) return;
      architect = address ?? architect;
      if (starting.size === 0) announce({ core: url, architect });
    };
    keep(() => program, { onLine });
  }
}

/** Once, when everything runs: what is there, and what to try. */
function announce({ core, architect }: { core: string; architect: string }): void {
  const goal = '{"title": "Release note", "description": "Summarise: the bus is durable. Then count the words."}';
  const goals = `curl -i ${architect}/goals -H 'Content-Type: application/json' -d '${goal}'`;
  const hint = new URL(core).port === DEFAULT_PORT ? '' : ` Programs that you start yourself need SWARM_URL=${core}.`;
  print('dev', `ready: the core at ${core}, the Architect at ${architect}, two workers.${hint} Try: ${goals}`);
}

/** The address of the core, once it listens. Everything stops when it cannot start at all. */
function startCore(): Promise<string> {
  const { promise, resolve: found } = Promise.withResolvers<string>();
  let port = process.env['SWARM_PORT'];
  let hasListened = false;
  const program = () =>
    typescript('core', 'apps/core', 'src/main.ts', { args: ['--dev'], env: { ...process.env, SWARM_PORT: port } });
  keep(program, {
    // The core's own lines stay as they are: scripts wait for the one that says where it listens.
    onLine(line) {
      process.stdout.write(`${line}\n`);
      const [, at, taken] = LISTENING.exec(line) ?? [];
      if (at === undefined) return;
      // The others know this address: the core that takes its place gets the same.
      port = taken;
      hasListened = true;
      found(at);
    },
    mayRestart: () => hasListened,
    onGivenUp: () => void stop(1),
  });
  return promise;
}

/** Builds the dashboard if that is needed, and prints a link that signs in, and a new one each time that Enter is pressed. */
async function offerDashboard(core: string): Promise<void> {
  await new Promise<void>((built) => {
    const build = buildOf(ROOT);
    const onLine = (line: string): void => print(build.name, line);
    const onEnd = (reason: string): void => {
      running.delete(build.name);
      if (reason !== 'exit code 0') print(build.name, `could not be built (${reason})`);
      built();
    };
    running.set(build.name, new Child(build, { onLine, onEnd }));
  });
  const admin = tokenOf('SWARM_ADMIN_TOKEN', 'adminToken');
  if (admin === null) return;
  const printLink = async (hint: string): Promise<void> => {
    try {
      print('dev', `dashboard: ${await makeLink(core, admin)} signs in once, within two minutes${hint}`);
    } catch (error) {
      if (!isStopping) print('dev', `no link to the dashboard could be made: ${(error as Error).message}`);
    }
  };
  const { stdin } = process;
  await printLink(stdin.isTTY ? '; press Enter for a new link' : '');
  if (!stdin.isTTY) return;
  createInterface({ input: stdin }).on('line', () => void printLink(''));
}

/** The token of the environment, or of the data folder; null when neither has one. */
function tokenOf(variable: string, field: keyof z.infer<typeof CREDENTIALS>): string | null {
  const { [variable]: given = '', DATABASE_URL: database = '', SWARM_DATA_DIR: folder = '' } = process.env;
  if (given !== '') return given;
  if (database !== '') return null;
  const path = join(resolve(ROOT, folder === '' ? '.swarm' : folder), 'credentials.json');
  return CREDENTIALS.parse(JSON.parse(readFileSync(path, 'utf8')))[field];
}

/** The programs that join: the Architect, and workers that take its tasks. */
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
  const { status } = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']);
  if (status === 0) return [...programs, python];
  print('dev', 'Python 3.9 or later was not found, so the second worker runs in TypeScript');
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
function keep(describe: () => Program, care: Care, restarts = 0): void {
  const program = describe();
  const { name } = program;
  const startedAt = performance.now();
  let cannotListen = false;
  const child = new Child(program, {
    onLine(line) {
      care.onLine(line);
      cannotListen ||= CANNOT_LISTEN.test(line);
      if (line.startsWith('listen EADDRINUSE'))
        print('dev', 'to use other ports, set SWARM_PORT or ARCHITECT_PORT; other programs find the core by SWARM_URL');
    },
    onEnd(reason) {
      running.delete(name);
      if (isStopping) return;
      const before = performance.now() - startedAt < STEADY_MS ? restarts : 0;
      if (cannotListen || before >= MAX_RESTARTS || care.mayRestart?.() === false) {
        print(name, `exited (${reason})`);
        care.onGivenUp?.();
        return;
      }
      print(name, `exited (${reason}), restarting`);
      setTimeout(() => {
        if (!isStopping) keep(describe, care, before + 1);
      }, RESTART_MS);
    },
  });
  running.set(name, child);
}

/** The programs that joined stop first, the core last. */
async function stop(code: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  const core = running.get('core');
  await Promise.all([...running.values()].filter((child) => child !== core).map((child) => child.stop()));
  await core?.stop();
  process.exit(code);
}

function print(name: string, line: string): void {
  const colour = COLOURS[name.length % COLOURS.length] ?? 'cyan';
  process.stdout.write(`${styleText(colour, name.padEnd(9))} ${line}\n`);
}
