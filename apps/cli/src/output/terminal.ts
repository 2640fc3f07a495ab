// What the process is connected to: its streams, and what they can show.
import type { Clock } from '@hypercode/clock';
import type { Readable, Writable } from 'node:stream';

/** A stream as the process has it: a terminal, a pipe or a file. */
export type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };
export type InputStream = Readable & { readonly isTTY?: boolean };

export interface Streams {
  readonly stdin: InputStream;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** The process around the command line; tests have one of their own. */
export interface Surroundings extends Streams {
  readonly env: Environment;
  readonly cwd: string;
  readonly clock: Clock;
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
}

/** Whether colours are shown on a stream: https://no-color.org, `FORCE_COLOR`, and terminals alone. */
export function hasColours(stream: OutputStream, env: Environment): boolean {
  if ((env['NO_COLOR'] ?? '') !== '') return false;
  const forced = env['FORCE_COLOR'];
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return stream.isTTY === true && env['TERM'] !== 'dumb';
}

/** Whether the locale of the environment encodes text as UTF-8 (POSIX, section 8.2). Without any locale: yes, as terminals do now. */
export function isUtf8(env: Environment): boolean {
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find((value) => value !== undefined && value !== '');
  return locale === undefined || /utf-?8/i.test(locale);
}
