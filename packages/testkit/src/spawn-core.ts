// A whole core as a process of its own, so that a test can kill it. It is the compiled one: `buildApps` comes first.
import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { builtApp, WORKSPACE } from './built-apps.ts';
import { guardProcess, type TemporaryFolder, temporaryFolder } from './death-guard.ts';
import { embeddedFolder } from './embedded-folder.ts';
import { freePort } from './free-port.ts';

const TSX = pathToFileURL(createRequire(import.meta.url).resolve('tsx', { paths: [WORKSPACE] })).href;
const INHERITED = ['PATH', 'HOME', 'USER', 'TMPDIR', 'LANG', 'TZ', 'NODE_V8_COVERAGE'];
const LISTENING = /listening on (https?:\/\/[^\s"',]+)(?=[\s"',])/;
const OUTPUT_LIMIT = 1024 * 1024;
const STOP_TIMEOUT_MS = 15_000;

export interface CoreOptions {
  /**
   * The core's environment, such as DATABASE_URL. Nothing of ours is inherited but PATH and the like. Defaults: a free
   * port, a private data folder, made-up tokens. An empty string means not set.
   */
  env?: Record<string, string>;
  /** A folder for SWARM_DATA_DIR that outlives this core. Default: a private one, removed by `close`. */
  dataDir?: string;
  /** Makes the private data folder of a core that has no DATABASE_URL. Default: one with an empty database. */
  newFolder?: () => Promise<TemporaryFolder>;
  /** It ends a start that hangs; a start on a busy machine may take a minute. Default 90,000. */
  startTimeoutMs?: number;
  /** A program in TypeScript to run in place of the core. */
  entry?: string;
}

export interface CoreExit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface SpawnedCore {
  readonly url: string;
  readonly pid: number;
  readonly dataDir: string;
  readonly adminToken: string;
  readonly joinToken: string;
  /** What the core has printed so far, over all its starts; the last MiB. */
  output(): string;
  kill(signal: NodeJS.Signals): void;
  /** Settles when the process that runs now has ended. */
  readonly exited: Promise<CoreExit>;
  /** Starts it again with the same environment, port and data, after ending it in order where it still runs. */
  restart(): Promise<void>;
  /** Ends it in order (SIGTERM; SIGKILL after 15 s) and removes its private data folder. */
  close(): Promise<void>;
}

/** Starts a core and resolves when it listens. Fails with its output when it ends or does not listen in time. */
export async function spawnCore(options: CoreOptions = {}): Promise<SpawnedCore> {
  const { startTimeoutMs = 90_000, entry } = options;
  const program = entry === undefined ? builtApp('core') : ['--import', TSX, entry];
  const folder = options.dataDir === undefined ? await privateFolder(options) : undefined;
  const settings = {
    SWARM_PORT: String(await freePort()),
    SWARM_DATA_DIR: options.dataDir ?? folder?.path ?? '',
    SWARM_ADMIN_TOKEN: randomBytes(24).toString('base64url'),
    SWARM_JOIN_TOKEN: randomBytes(24).toString('base64url'),
    ...options.env,
  };
  let output = '';
  const collect = (chunk: string) => {
    output = (output + chunk).slice(-OUTPUT_LIMIT);
  };
  const start = () => launch({ program, env: environmentOf(settings), startTimeoutMs, collect });

  let life: Life;
  try {
    life = await start();
  } catch (error) {
    await folder?.remove();
    throw error;
  }
  settings.SWARM_PORT = new URL(life.url).port;
  return {
    get url() {
      return life.url;
    },
    get pid() {
      return life.pid;
    },
    get exited() {
      return life.exited;
    },
    dataDir: settings.SWARM_DATA_DIR,
    adminToken: settings.SWARM_ADMIN_TOKEN,
    joinToken: settings.SWARM_JOIN_TOKEN,
    output: () => output,
    kill: (signal) => void life.child.kill(signal),
    async restart() {
      await end(life);
      life = await start();
    },
    async close() {
      await end(life);
      await folder?.remove();
    },
  };
}

/** Only a core without DATABASE_URL has a database in its folder. */
const privateFolder = async ({
  env,
  entry,
  newFolder = () => embeddedFolder('core'),
}: CoreOptions): Promise<TemporaryFolder> => {
  const hasDatabase = entry === undefined && (env?.['DATABASE_URL'] ?? '') === '';
  return hasDatabase ? newFolder() : temporaryFolder('core');
};

/** One run of the program, from its start to its exit. */
interface Life {
  child: ChildProcess;
  pid: number;
  url: string;
  exited: Promise<CoreExit>;
}

interface LaunchOptions {
  /** Arguments of Node.js. */
  program: readonly string[];
  env: NodeJS.ProcessEnv;
  startTimeoutMs: number;
  collect: (chunk: string) => void;
}

/** The child is the core itself, not a wrapper around it, so that a signal hits the core. */
async function launch({ program, env, startTimeoutMs, collect }: LaunchOptions): Promise<Life> {
  const child = spawn(process.execPath, program, {
    cwd: WORKSPACE,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid === undefined) throw (await once(child, 'error'))[0];
  const { pid } = child;
  const release = guardProcess(pid);
  const exited = new Promise<CoreExit>((resolve) => {
    child.once('close', (code, signal) => {
      release();
      resolve({ code, signal });
    });
  });

  const starting = Promise.withResolvers<string>();
  let said = '';
  const listen = (chunk: string) => {
    collect(chunk);
    if (said.length > OUTPUT_LIMIT) return;
    said += chunk;
    const url = LISTENING.exec(said)?.[1];
    if (url !== undefined) starting.resolve(url);
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', listen);
  const fail = (what: string) => starting.reject(new Error(`The core ${what}:\n${said}`));
  void exited.then(({ code, signal }) => fail(`ended with ${code ?? signal} before it listened`));
  const timer = setTimeout(() => fail(`did not listen within ${startTimeoutMs} ms`), startTimeoutMs);
  try {
    return { child, pid, url: await starting.promise, exited };
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function end({ child, exited }: Life): Promise<void> {
  const hurry = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  child.kill('SIGTERM');
  await exited;
  clearTimeout(hurry);
}

function environmentOf(settings: Record<string, string>): NodeJS.ProcessEnv {
  const inherited = INHERITED.map((name) => [name, process.env[name] ?? '']);
  return Object.fromEntries([...inherited, ...Object.entries(settings)].filter(([, value]) => value !== ''));
}
