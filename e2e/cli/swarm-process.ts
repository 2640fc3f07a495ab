// `swarm` as a process: the built file, on the Node.js of the workspace.
import { BUILT_CLI } from '@hypercode/testkit';
import { type ChildProcess, spawn } from 'node:child_process';

export interface SwarmEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** An environment with nothing of the person who runs the tests. */
export const emptyEnv = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: '/nonexistent',
  XDG_CONFIG_HOME: '/nonexistent',
  ...more,
});

export function startSwarm(words: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  return spawn(process.execPath, [BUILT_CLI, ...words], { cwd: '/', env: emptyEnv(env), stdio: 'pipe' });
}

/** Runs it to its end. */
export async function swarm(words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<SwarmEnd> {
  const child = startSwarm(words, env);
  child.stdin?.end();
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, stdout, stderr };
}
