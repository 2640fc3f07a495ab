// A whole Architect as a process of its own, so that a test can kill it. It is the compiled one: `buildApps` comes first.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { builtApp, WORKSPACE } from './built-apps.ts';
import { guardProcess } from './death-guard.ts';

/** It ends a start that hangs; a start on a busy machine may take a minute. */
const START_LIMIT_MS = 90_000;
const AT = /architect (active|standby) at (http:\/\/\S+)/g;

export interface SpawnedArchitect {
  readonly pid: number;
  /** Where it listens now. */
  url(): string;
  /** What it has said of itself: `active`, `standby`, in turns. */
  modes(): string[];
  output(): string;
  kill(signal: NodeJS.Signals): void;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** Calls a route, and gives its JSON. Rejects with the problem's text. */
  call<T>(path: string, body?: unknown): Promise<T>;
  close(): Promise<void>;
}

/** Resolves when it listens. */
export async function spawnArchitect(env: Readonly<Record<string, string>>): Promise<SpawnedArchitect> {
  const { PATH, HOME, NODE_V8_COVERAGE } = process.env;
  const child: ChildProcess = spawn(process.execPath, builtApp('architect'), {
    cwd: WORKSPACE,
    env: { PATH, HOME, NODE_V8_COVERAGE, ARCHITECT_PORT: '0', ARCHITECT_LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const release = child.pid === undefined ? () => {} : guardProcess(child.pid);
  let output = '';
  const listening = Promise.withResolvers<void>();
  const onOutput = (chunk: Buffer): void => {
    output += chunk.toString();
    if (/architect \w+ at http/.test(output)) listening.resolve();
  };
  child.stdout?.on('data', onOutput);
  child.stderr?.on('data', onOutput);
  const exited = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
    release();
    listening.reject(new Error(`the Architect has ended: ${output}`));
    return { code: typeof code === 'number' ? code : null, signal: typeof signal === 'string' ? signal : null };
  });
  const patience = setTimeout(
    () => listening.reject(new Error(`the Architect does not start: ${output}`)),
    START_LIMIT_MS,
  );
  const says = (): [mode: string, url: string][] =>
    [...output.matchAll(AT)].map(([, mode = '', url = '']) => [mode, url]);
  const architect: SpawnedArchitect = {
    pid: child.pid ?? 0,
    url: () => says().at(-1)?.[1] ?? '',
    modes: () => says().map(([mode]) => mode),
    output: () => output,
    kill: (signal) => void child.kill(signal),
    exited,
    async call(path, body) {
      const response = await fetch(`${architect.url()}${path}`, {
        ...(body === undefined
          ? {}
          : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`${response.status}: ${text}`);
      return JSON.parse(text);
    },
    async close() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exited;
    },
  };
  try {
    await listening.promise;
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(patience);
  }
  return architect;
}
