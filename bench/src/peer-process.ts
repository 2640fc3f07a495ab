// A program that the core is compared with, as a process that ends with us, however that is.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';

export interface PeerProcess {
  /** The process whose child it is. */
  readonly parentPid: number;
  close(): Promise<void>;
}

export function startPeerProcess(command: string, options: readonly string[]): PeerProcess {
  // The shell's standard input is ours: when we end, it reads the end of it and ends the program.
  const script = '"$0" "$@" </dev/null & read -r _; kill -9 $!; wait $!';
  const shell = spawn('/bin/sh', ['-c', script, command, ...options], { stdio: ['pipe', 'ignore', 'ignore'] });
  return {
    parentPid: shell.pid ?? 0,
    async close() {
      if (shell.exitCode !== null || shell.signalCode !== null) return;
      const ended = once(shell, 'exit');
      shell.stdin.end();
      await ended;
    },
  };
}

/** What the command prints about its version; null when it is not on the PATH. */
export async function versionOf(command: string): Promise<string | null> {
  const printed = await promisify(execFile)(command, ['--version']).catch(() => null);
  return printed === null ? null : (/\d+\.\d+\.\d+/.exec(printed.stdout)?.[0] ?? 'unknown');
}
