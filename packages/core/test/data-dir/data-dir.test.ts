// The data folder: who may have it, and the tokens in it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DataDir, type DataDirOptions, openDataDir } from '../../src/data-dir/data-dir.ts';
import { DataDirLockedError } from '../../src/data-dir/folder-lock.ts';

let root: string;
let folder: string;
const opened: DataDir[] = [];
const children: ChildProcess[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'swarm-data-dir-'));
  folder = join(root, 'nested', 'data');
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  }
  await Promise.all(opened.splice(0).map((dataDir) => dataDir.close()));
  await rm(root, { recursive: true });
});

async function open(options?: DataDirOptions): Promise<DataDir> {
  const dataDir = await openDataDir(folder, options);
  opened.push(dataDir);
  return dataDir;
}

const refusalOf = (waitMs = 0): Promise<unknown> => open({ waitMs }).catch((error: unknown) => error);

const modeOf = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

interface Holder {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly stderr: () => string;
}

/** Another process that opened the folder, and closes it when its input ends. */
async function startHolder(): Promise<Holder> {
  const script = `
    import { openDataDir } from ${JSON.stringify(new URL('../../src/data-dir/data-dir.ts', import.meta.url).href)};
    const dataDir = await openDataDir(${JSON.stringify(folder)});
    console.log('open');
    process.stdin.on('end', () => dataDir.close()).resume();`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: 'pipe' });
  children.push(child);
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  await Promise.race([
    once(createInterface(child.stdout), 'line'),
    once(child, 'exit').then(() => Promise.reject(new Error(`the holder ended: ${stderr}`))),
  ]);
  return { child, pid: child.pid ?? 0, stderr: () => stderr };
}

describe('the folder', () => {
  it('is made for its owner alone', async () => {
    await open();
    expect(await modeOf(folder)).toBe(0o700);
    expect(await modeOf(join(folder, 'holder.json'))).toBe(0o600);
  });

  it('is refused to a second user in the same process, and free after close', async () => {
    const first = await open();
    expect(await refusalOf()).toBeInstanceOf(DataDirLockedError);
    await first.close();
    await first.close();
    await open({ waitMs: 0 });
    await first.close();
    expect(await refusalOf()).toBeInstanceOf(DataDirLockedError);
  });

  it('is refused with the pid of the process that holds it', async () => {
    const { pid } = await startHolder();
    const error = await refusalOf();
    expect(error).toBeInstanceOf(DataDirLockedError);
    expect(String(error)).toContain(`process ${pid} `);
    expect(String(error)).toContain(folder);
  });

  it('is taken without a warning on the console', async () => {
    const { child, stderr } = await startHolder();
    child.stdin?.end();
    await once(child, 'close');
    expect(child.exitCode).toBe(0);
    expect(stderr()).toBe('');
    expect((await readdir(folder)).toSorted()).toEqual(['lock.sqlite']);
  });

  it('stays with a holder that is stopped', async () => {
    const { child, pid } = await startHolder();
    child.kill('SIGSTOP');
    expect(String(await refusalOf(200))).toContain(`process ${pid} `);
    child.kill('SIGCONT');
  });

  it('is free as soon as its holder was killed', async () => {
    const { child } = await startHolder();
    child.kill('SIGKILL');
    await once(child, 'exit');
    await expect(open({ waitMs: 0 })).resolves.toBeDefined();
  });

  it('is free when a dead holder left a pid that lives again', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'holder.json'), JSON.stringify({ pid: process.pid, host: 'here', startedAt: 'then' }));
    await open({ waitMs: 0 });
    expect(JSON.parse(await readFile(join(folder, 'holder.json'), 'utf8'))).toMatchObject({ pid: process.pid });
  });

  it('a second start is refused also when the lock file names no holder', async () => {
    await open();
    await rm(join(folder, 'holder.json'));
    expect(String(await refusalOf())).toContain('another process');
  });

  it('goes to the one who waits when its holder leaves, and waiting does not stop the event loop', async () => {
    const { child } = await startHolder();
    const loopDelay = monitorEventLoopDelay({ resolution: 1 });
    loopDelay.enable();
    const waiting = open({ waitMs: 20_000 });
    const refused = refusalOf(100);
    expect(await refused).toBeInstanceOf(DataDirLockedError);
    child.stdin?.end();
    await expect(waiting).resolves.toBeDefined();
    loopDelay.disable();
    expect(loopDelay.max / 1e6).toBeLessThan(500);
  });

  it('goes to exactly one of many', async () => {
    const results = await Promise.allSettled(Array.from({ length: 10 }, () => open({ waitMs: 100 })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('credentials', () => {
  const file = () => join(folder, 'credentials.json');

  it('are made once, readable for the owner alone', async () => {
    const first = await open();
    const made = await first.credentials();
    expect(made).toEqual({
      adminToken: expect.stringMatching(/^swadm_[\w-]{43}$/),
      joinToken: expect.stringMatching(/^swjoin_[\w-]{43}$/),
      viewerToken: expect.stringMatching(/^swview_[\w-]{43}$/),
    });
    expect(await modeOf(file())).toBe(0o600);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual(made);
    await first.close();
    expect(await (await open()).credentials()).toEqual(made);
  });

  it('give way to tokens from the environment, which are not written', async () => {
    const dataDir = await open();
    const given = await dataDir.credentials({ adminToken: 'given-by-an-operator', joinToken: null });
    const kept = await dataDir.credentials();
    expect(given).toEqual({ ...kept, adminToken: 'given-by-an-operator' });
    expect(await readFile(file(), 'utf8')).not.toContain('given-by-an-operator');
  });

  it('are hidden again when others could read them', async () => {
    const dataDir = await open();
    await dataDir.credentials();
    await chmod(file(), 0o644);
    await dataDir.close();
    await (await open()).credentials();
    expect(await modeOf(file())).toBe(0o600);
  });

  it.each(['', '{', '{"adminToken":"swadm_0123456789abcdef"}', '[]'])(
    'are not replaced when the file is damaged: %s',
    async (text) => {
      const dataDir = await open();
      await writeFile(file(), text);
      await expect(dataDir.credentials()).rejects.toThrow(file());
      expect(await readFile(file(), 'utf8')).toBe(text);
    },
  );
});
