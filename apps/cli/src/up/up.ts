// `swarm up`: an embedded core with its page, and the Architect, in the foreground.
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SwarmError } from '@hypercode/client';
import { embeddedCredentials, type EmbeddedCredentials } from '../connection/embedded.ts';
import { bold, dim } from '../output/parts.ts';
import { printFacts } from '../output/table.ts';
import type { Environment } from '../output/terminal.ts';
import { command, integer, text } from '../program/command.ts';
import type { CommandContext } from '../program/context.ts';
import { EXIT, Failure, interrupted, refused } from '../program/exit-codes.ts';
import { Program, STOP_LIMIT_MS } from './program.ts';

/** Beside the one file of `swarm`. */
const PROGRAMS = fileURLToPath(new URL('./up/', import.meta.url));
const OLDEST_NODE = 24;
const OTHER_FOLDER = 'end that process, or use another folder with --data-dir';
/** Stores of another deployment, which are no business of an embedded core. */
const STORES = ['DATABASE_URL', 'DATABASE_URL_FILE', 'REDIS_URL', 'REDIS_URL_FILE'] as const;
const LISTENING = /listening on (https?:\/\/[^\s"',]+)/;
const JOINED = /^architect (?:active|standby) at (http\S+)/;

export const up = command({
  path: ['up'],
  summary: 'Start a core with the dashboard, and the Architect, on this machine',
  details:
    'Start a core on the embedded database, with the dashboard, and the Architect, and keep them until Ctrl-C. The data folder is .swarm ' +
    'of this folder, or of the nearest folder above that has one; the other commands find its tokens there by themselves. Further ' +
    'settings come from the environment (docs/configuration.md), except for DATABASE_URL and REDIS_URL. Warnings of the programs are ' +
    'on stderr; SWARM_LOG_LEVEL and ARCHITECT_LOG_LEVEL show more. When one of the programs ends, the others end, too. ' +
    `Needs Node.js ${OLDEST_NODE} or later.`,
  endsWithinMs: 2 * STOP_LIMIT_MS + 1_000,
  calls: [],
  args: {},
  options: {
    port: integer('Port of the core; 0 takes a free one (default: SWARM_PORT, or 7700)', { min: 0, max: 65_535 }),
    architectPort: integer('Port of the Architect; 0 takes a free one (default: ARCHITECT_PORT, or 7710)', {
      min: 0,
      max: 65_535,
    }),
    dataDir: text('FOLDER', 'Data folder of the core', { completes: 'file' }),
  },
  examples: [
    { run: 'swarm up', does: 'A swarm on the ports 7700 and 7710, until Ctrl-C', follows: true },
    { run: 'swarm up --port 0 --architect-port 0 --data-dir trial', does: 'Another one beside it', follows: true },
  ],
  async run(context, { options }) {
    const { output, env, signal } = context;
    expectPrograms();
    const ignored = STORES.filter((name) => (env[name] ?? '') !== '');
    if (ignored.length > 0) output.note(`${ignored.join(' and ')} not used: swarm up has an embedded database`);
    const dataDir = await dataFolder(context, options.dataDir);
    const onLine = (name: string) => (line: string) => output.note([dim(name.padEnd(9)), ' ', line]);

    // Before anything is started, which takes some seconds the first time.
    const host = env['SWARM_HOST'] || '127.0.0.1';
    await expectFreePort(host, options.port ?? Number(env['SWARM_PORT'] || 7700), '--port');
    await expectFreePort(
      env['ARCHITECT_HOST'] || '127.0.0.1',
      options.architectPort ?? Number(env['ARCHITECT_PORT'] || 7710),
      '--architect-port',
    );

    await using running = new AsyncDisposableStack();
    const core = new Program({
      name: 'core',
      file: join(PROGRAMS, 'core.js'),
      env: coreEnvironment(env, dataDir, options.port),
      clock: context.clock,
      onLine: onLine('core'),
    });
    running.defer(() => core.stop());
    const url = await untilAborted(core.says(LISTENING).catch(explainCore), signal);
    const credentials = await embeddedCredentials({ SWARM_DATA_DIR: dataDir }, context.surroundings.cwd);
    if (credentials === null) throw refused(`${dataDir} has no credentials.json that can be read`);

    const architect = new Program({
      name: 'architect',
      file: join(PROGRAMS, 'architect.js'),
      env: architectEnvironment(env, { url, credentials, port: options.architectPort }),
      clock: context.clock,
      onLine: onLine('architect'),
    });
    running.defer(() => architect.stop());
    const architectUrl = await untilAborted(architect.says(JOINED).catch(explainArchitect), signal);
    const dashboard = await signInLink(url, env['SWARM_ADMIN_TOKEN'] || credentials.adminToken);

    if (output.json) {
      output.object({ core: url, architect: architectUrl, dashboard, dataDir });
    } else {
      output.line(['HyperCode Swarm is listening on ', bold(url)]);
      printFacts(output, [
        ['architect', architectUrl],
        ['dashboard', dashboard ?? 'not served (SWARM_UI)'],
        ['data', dataDir],
      ]);
      if (dashboard?.includes('#') === true)
        output.note('The link signs in once, within two minutes; swarm open makes another.');
      const others = await context.target().catch(() => null);
      if (others?.url !== url) output.note(`Other commands need --url ${url}, or SWARM_URL.`);
      output.note('Ctrl-C stops everything.');
    }
    const ended = await untilAborted(Promise.race([core.ended, architect.ended]), signal);
    throw new Failure(EXIT.unavailable, `${ended.name} ended (${ended.reason}), so everything ends`);
  },
});

function expectPrograms(): void {
  const { node } = process.versions;
  if (Number(node.split('.')[0]) < OLDEST_NODE)
    throw refused(`swarm up needs Node.js ${OLDEST_NODE} or later; this is ${node}`);
  if (!existsSync(join(PROGRAMS, 'core.js')))
    throw refused(
      `this build of swarm has no core in ${PROGRAMS}`,
      'in the workspace, node apps/cli/build-up.ts makes it',
    );
}

/** What is given, or the folder whose credentials the other commands use here, or `.swarm` of this folder. */
async function dataFolder({ env, surroundings: { cwd } }: CommandContext, given: string | undefined): Promise<string> {
  const named = given ?? (env['SWARM_DATA_DIR'] || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const found = await embeddedCredentials(env, cwd);
  return found === null ? join(cwd, '.swarm') : dirname(found.path);
}

const without = (env: Environment, names: readonly string[]): Environment =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !names.includes(name)));

const coreEnvironment = (env: Environment, dataDir: string, port: number | undefined): Environment => ({
  SWARM_LOG_LEVEL: 'warn',
  ...without(env, STORES),
  SWARM_DATA_DIR: dataDir,
  ...(port !== undefined && { SWARM_PORT: String(port) }),
});

interface Joining {
  readonly url: string;
  readonly credentials: EmbeddedCredentials;
  readonly port: number | undefined;
}

const architectEnvironment = (env: Environment, { url, credentials, port }: Joining): Environment => ({
  ARCHITECT_LOG_LEVEL: 'warn',
  ...(!env['SWARM_JOIN_TOKEN_FILE'] && { SWARM_JOIN_TOKEN: credentials.joinToken }),
  ...without(env, ['SWARM_URL', 'SWARM_URL_FILE', ...(env['SWARM_JOIN_TOKEN'] ? [] : ['SWARM_JOIN_TOKEN'])]),
  SWARM_URL: url,
  ...(port !== undefined && { ARCHITECT_PORT: String(port) }),
});

/** A link that signs in to the dashboard with the rights of the token, or where to sign in; null when the core serves none. */
async function signInLink(url: string, token: string): Promise<string | null> {
  const { createSwarmClient } = await import('@hypercode/client');
  await using client = createSwarmClient({ url, token, logger: false });
  try {
    return (await client.sessions.code()).url;
  } catch (error) {
    const refusal = SwarmError.from(error);
    if (refusal.is('NOT_FOUND')) return null;
    // The core has its admin token from a file.
    if (refusal.is('UNAUTHENTICATED')) return url;
    throw error;
  }
}

/** Other faults of the address are for the program to report. */
async function expectFreePort(host: string, port: number, option: string): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || error.code !== 'EADDRINUSE') return;
    throw refused(`port ${port} of ${host} is taken, perhaps by another swarm`, `${option} 0 takes a free port`);
  }
  server.close();
  await once(server, 'close');
}

function explainCore(error: unknown): never {
  const reason = reasonOf(error);
  const isHeld = reason.includes('data folder');
  throw refused(isHeld ? reason : `the core did not start: ${reason}`, isHeld ? OTHER_FOLDER : undefined);
}

function explainArchitect(error: unknown): never {
  throw refused(`the Architect did not start: ${reasonOf(error)}`);
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Rejects when Ctrl-C comes first. */
function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((done, failed) => {
    const abort = (): void => failed(interrupted());
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    promise.then(done, failed);
  });
}
