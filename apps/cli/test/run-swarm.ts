// Runs the command line in the process of a test, with streams that are kept.
import { systemClock } from '@hypercode/clock';
import { PassThrough, Readable, Writable } from 'node:stream';
import { commands, groups } from '../src/commands/table.ts';
import type { OutputStream, Surroundings } from '../src/output/terminal.ts';
import { runCommandLine } from '../src/program/run.ts';

export interface SwarmRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** stdout as lines of JSON. */
  objects(): Record<string, unknown>[];
}

export interface SwarmRunOptions {
  /** The core, and the token for it. Default: none. */
  readonly core?: { readonly url: string; readonly token: string; readonly namespace?: string } | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly stdin?: string;
  /** Width of the terminal that stdout is. Default: it is none. */
  readonly columns?: number;
  readonly signal?: AbortSignal;
  /** Called with all that stdout has so far, each time that there is more. */
  readonly onOutput?: (stdout: string) => void;
}

/** `words` are those after `swarm`: as a list, or as a shell takes them apart. */
export async function runSwarm(words: string | readonly string[], options: SwarmRunOptions = {}): Promise<SwarmRun> {
  const { core, stdin, columns, onOutput } = options;
  let stdout = '';
  let stderr = '';
  const sink = (take: (text: string) => void): OutputStream =>
    new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        take(String(chunk));
        done();
      },
    });
  const out = sink((text) => {
    stdout += text;
    onOutput?.(stdout);
  });
  if (columns !== undefined) Object.assign(out, { isTTY: true, columns });
  const ofCore: Record<string, string> =
    core === undefined
      ? {}
      : {
          SWARM_URL: core.url,
          SWARM_TOKEN: core.token,
          ...(core.namespace === undefined ? {} : { SWARM_NAMESPACE: core.namespace }),
        };
  const surroundings: Surroundings = {
    stdin: stdin === undefined ? new PassThrough().end() : Readable.from([stdin]),
    stdout: out,
    stderr: sink((text) => (stderr += text)),
    env: { HOME: '/nonexistent', XDG_CONFIG_HOME: '/nonexistent', ...ofCore, ...options.env },
    cwd: options.cwd ?? '/nonexistent',
    clock: systemClock,
    signal: options.signal ?? new AbortController().signal,
  };
  const list = typeof words === 'string' ? splitWords(words) : words;
  const exitCode = await runCommandLine(list, surroundings, { commands, groups, version: '1.2.3' });
  return {
    exitCode,
    stdout,
    stderr,
    objects: () =>
      stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>),
  };
}

/** The words of a line, with quotes as a shell has them; no variables. */
export const splitWords = (line: string): string[] =>
  [...line.matchAll(/(?:'([^']*)'|"([^"]*)"|([^\s'"]+))+/g)].map(([word]) =>
    word.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'),
  );
