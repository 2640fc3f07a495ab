// A token from a file, from stdin, or typed without being shown: never from an argument, which every process of the machine can read.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Output } from '../output/output.ts';
import { askSecret } from '../output/prompts.ts';
import type { Surroundings } from '../output/terminal.ts';
import { interrupted, wrongUsage } from '../program/exit-codes.ts';

/** The token in `file`; `-` is stdin. */
export async function readToken({ stdin, cwd }: Pick<Surroundings, 'stdin' | 'cwd'>, file: string): Promise<string> {
  let text = '';
  if (file === '-') {
    for await (const chunk of stdin) text += String(chunk);
  } else {
    try {
      text = await readFile(resolve(cwd, file), 'utf8');
    } catch (error) {
      throw wrongUsage(`--token-file: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  const token = text.trim();
  if (token === '') throw wrongUsage(`--token-file: ${file === '-' ? 'stdin' : file} has no token`);
  return token;
}

/** Asks for the token of `url`. Without a terminal it fails. */
export async function askToken(
  { output, signal }: { readonly output: Output; readonly signal: AbortSignal },
  url: string,
): Promise<string> {
  if (!output.canAsk)
    throw wrongUsage('there is no terminal to ask for the token on: give --token-file FILE, or - for stdin');
  const answer = await askSecret(output, `Token for ${url}`, signal);
  if (answer === null) throw interrupted();
  if (answer.trim() === '') throw wrongUsage('the token is empty');
  return answer.trim();
}
