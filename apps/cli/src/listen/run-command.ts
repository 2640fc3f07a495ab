// One run of the command of `listen`: `sh -c`, the event on stdin, its output up to a limit, and an end that is certain.
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { SwarmError } from '@hypercode/client';
import type { Clock } from '@hypercode/clock';

/** How much of the output of one run is passed on, in bytes: of stdout and stderr together. */
export const OUTPUT_LIMIT = 1024 * 1024;
/** What a run that shall end has between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 1_000;

export interface RunOptions {
  /** Given to `sh -c` as it is. */
  readonly command: string;
  readonly input: string;
  readonly env: Record<string, string>;
  readonly clock: Clock;
  /** Undefined: no limit. */
  readonly timeoutMs: number | undefined;
  /** Ends the run. */
  readonly signal: AbortSignal;
  readonly write: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
}

export interface RunEnd {
  /** Null when a signal ended it, or it could not be started. */
  readonly exitCode: number | null;
  /** Why it did not succeed; null when it did. */
  readonly failure: string | null;
  readonly tookMs: number;
  /** Whether some of the output was left out. */
  readonly isCut: boolean;
}

/**
 *   running ──exits──> ended
 *           ──timeout, signal──> ending: SIGTERM to its process group, after a second SIGKILL ──> ended
 *
 * Never rejects. What the command has started in its process group does not outlive a timeout or the signal; after an exit, it may.
 */
export function runCommand(options: RunOptions): Promise<RunEnd> {
  const { command, input, env, clock, timeoutMs, signal, write } = options;
  const startedMs = clock.monotonicMs();
  // A process group of its own: a signal reaches what the command starts, and Ctrl-C at the terminal does not end it before we say so.
  const child = spawn('sh', ['-c', command], { env, stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  running.add(child);
  let why: string | null = null;
  let cancelKill = (): void => {};
  const end = (reason: string): void => {
    if (why !== null) return;
    why = reason;
    killGroup(child, 'SIGTERM');
    cancelKill = clock.schedule(GRACE_MS, () => killGroup(child, 'SIGKILL'));
  };
  const cancelTimeout =
    timeoutMs === undefined ? () => {} : clock.schedule(timeoutMs, () => end(`it ran for longer than ${timeoutMs} ms`));
  const stop = (): void => {
    const reason: unknown = signal.reason;
    end(reason instanceof SwarmError ? reason.message : 'listen was ended');
  };
  if (signal.aborted) stop();
  else signal.addEventListener('abort', stop);

  let room = OUTPUT_LIMIT;
  let isCut = false;
  const pass = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
    const passed = chunk.subarray(0, room);
    room -= passed.length;
    isCut ||= passed.length < chunk.length;
    if (passed.length > 0) write(stream, passed);
  };
  child.stdout.on('data', pass('stdout'));
  child.stderr.on('data', pass('stderr'));
  // A command may end without reading the event.
  child.stdin.on('error', () => {});
  child.stdin.end(input);

  return new Promise((resolve) => {
    const ended = (exitCode: number | null, failure: string | null): void => {
      running.delete(child);
      cancelTimeout();
      cancelKill();
      signal.removeEventListener('abort', stop);
      // What is left in the group of a run that had to end.
      if (why !== null) killGroup(child, 'SIGKILL');
      resolve({ exitCode, failure: why ?? failure, tookMs: Math.round(clock.monotonicMs() - startedMs), isCut });
    };
    child.on('error', (error) => ended(null, `it could not be started: ${error.message}`));
    // Not `close`: what the command has left running may keep its output open.
    child.on('exit', (code, by) => {
      const failure = code === 0 ? null : code === null ? `it was ended by ${by}` : `exit ${code}`;
      // What it has printed comes in the same turn of the event loop or the next ones, unless others keep the pipes open.
      drain(child, clock, () => ended(code, failure));
    });
  });
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/** Those that have not ended: nothing of them outlives this process, however it exits. */
const running = new Set<Child>();
process.on('exit', () => {
  for (const child of running) killGroup(child, 'SIGKILL');
});

/** How long the output may still come after the exit, in milliseconds. */
const LATE_OUTPUT_MS = 200;

function drain(child: Child, clock: Clock, done: () => void): void {
  let isDone = false;
  const once = (): void => {
    if (isDone) return;
    isDone = true;
    cancel();
    child.stdout.destroy();
    child.stderr.destroy();
    done();
  };
  const cancel = clock.schedule(LATE_OUTPUT_MS, once);
  child.once('close', once);
}

function killGroup({ pid }: Child, signal: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended.
  }
}
