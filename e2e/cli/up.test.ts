// `swarm up` of the packed package, outside of the workspace: nothing is installed besides, and nothing outlives it.
import { temporaryFolder, waitFor, WORKSPACE } from '@hypercode/testkit';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyEnv } from './swarm-process.ts';
import { TestTerminal } from './terminal.ts';

const exec = promisify(execFile);
/** The page may have to be built. */
const PACK_LIMIT_MS = 300_000;
const START = { timeoutMs: 90_000 };

const folder = temporaryFolder('up');
/** Where a user calls it, without a data folder at first. */
const home = join(folder.path, 'home');
const program = join(folder.path, 'package/dist/swarm.js');
const env = emptyEnv({
  HOME: home,
  SWARM_PORT: '0',
  ARCHITECT_PORT: '0',
  DATABASE_URL: 'postgres://nowhere.invalid/x',
});

beforeAll(async () => {
  const cwd = join(WORKSPACE, 'apps/cli');
  await exec(process.execPath, ['build-up.ts'], { cwd });
  // `prepack` has just been done.
  const { stdout } = await exec('npm', ['pack', '--ignore-scripts', '--pack-destination', folder.path], { cwd });
  await exec('tar', ['-xzf', join(folder.path, stdout.trim()), '-C', folder.path]);
  mkdirSync(home);
}, PACK_LIMIT_MS);
afterAll(() => folder.remove());

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

class Up {
  stdout = '';
  stderr = '';
  readonly child;
  readonly ended: Promise<Ended>;

  constructor(words: readonly string[] = [], more: Readonly<Record<string, string>> = {}) {
    this.child = spawn(process.execPath, [program, 'up', ...words], { cwd: home, env: { ...env, ...more } });
    this.child.stdout.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = new Promise((resolve) =>
      this.child.on('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr })),
    );
  }

  /** What `--json` prints when everything runs. */
  async ready(): Promise<{ core: string; architect: string; dashboard: string; dataDir: string }> {
    const line = await waitFor(() => /^\{.*\}$/m.exec(this.stdout)?.[0], { what: 'the swarm to be up', ...START });
    return JSON.parse(line) as Awaited<ReturnType<Up['ready']>>;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGINT');
    await this.ended;
  }
}

const corePid = (): number =>
  (JSON.parse(readFileSync(join(home, '.swarm/holder.json'), 'utf8')) as { pid: number }).pid;

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

const isSilent = (url: string): Promise<unknown> =>
  waitFor(async () => !(await answers(url)), { what: `${url} to end`, timeoutMs: 60_000 });

test('starts a core, its page and the Architect in an empty folder, and Ctrl-C ends them', async () => {
  const line = 'cd "$0" && "$1" "$2" up; echo "code $?"; sleep 60';
  using terminal = new TestTerminal('sh', ['-c', `trap : INT; ${line}`, home, process.execPath, program], {
    env,
    columns: 120,
  });
  await waitFor(() => terminal.text.includes('Ctrl-C stops everything'), { what: 'the swarm to be up', ...START });
  expect(terminal.text).toContain('DATABASE_URL not used');
  const [, core = ''] = /listening on (\S+)/.exec(terminal.text) ?? [];
  const [, architect = ''] = /architect +(\S+)/.exec(terminal.text) ?? [];
  const [, code = ''] = /dashboard +\S+\/#code=(\S+)/.exec(terminal.text) ?? [];
  expect(terminal.text).toContain(`Other commands need --url ${core}`);

  expect(await fetch(core).then((page) => page.text())).toContain('/assets/');
  const signIn = await fetch(`${core}/v1/session`, {
    method: 'POST',
    headers: { origin: core, 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  });
  expect(signIn.status).toBe(201);
  // The other commands find the tokens in the folder.
  const { stdout } = await exec(process.execPath, [program, 'agents', 'ls', '--json', '--url', core], {
    cwd: home,
    env,
  });
  expect(JSON.parse(stdout)).toMatchObject({ name: 'architect', status: { health: 'healthy' } });

  const other = await new Up([], { SWARM_PORT: new URL(core).port }).ended;
  expect(other).toMatchObject({ code: 1, stdout: '' });
  expect(other.stderr).toMatch(/swarm: port \d+ of 127\.0\.0\.1 is taken.*\n +--port 0 takes a free port/);
  const inUse = await new Up().ended;
  expect(inUse).toMatchObject({ code: 1, stdout: '' });
  expect(inUse.stderr).toMatch(
    new RegExp(`swarm: the data folder ${home}/\\.swarm is in use by process ${corePid()} .*\\n.*--data-dir`),
  );

  terminal.type('\u0003');
  await terminal.shows('code 130');
  expect(await Promise.all([core, architect].map((url) => answers(`${url}/health`)))).toEqual([false, false]);
  expect(existsSync(join(home, '.swarm/holder.json'))).toBe(false);
});

test('ends with 3 when the core ends by itself', async () => {
  await using up = new Up(['--json']);
  const { architect, dataDir } = await up.ready();
  expect(dataDir).toBe(join(home, '.swarm'));
  process.kill(corePid(), 'SIGKILL');
  expect(await up.ended).toMatchObject({ code: 3, stderr: expect.stringContaining('core ended (SIGKILL)') });
  expect(await answers(`${architect}/health`)).toBe(false);
});

test('its programs end when it is killed', async () => {
  await using up = new Up(['--json']);
  const { core, architect } = await up.ready();
  up.child.kill('SIGKILL');
  await isSilent(`${core}/healthz`);
  await isSilent(`${architect}/health`);
});
