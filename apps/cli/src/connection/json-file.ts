// JSON from a file that a command is given, or from stdin.
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { wrongUsage } from '../program/exit-codes.ts';
import type { Surroundings } from '../output/terminal.ts';

/** `-` is stdin. */
export async function readJsonFile(
  { stdin, cwd }: Pick<Surroundings, 'stdin' | 'cwd'>,
  file: string,
): Promise<Record<string, unknown>> {
  let text = '';
  if (file === '-') {
    for await (const chunk of stdin) text += String(chunk);
  } else {
    try {
      text = await readFile(resolve(cwd, file), 'utf8');
    } catch (error) {
      throw wrongUsage(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw wrongUsage(`${file} is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw wrongUsage(`${file} is no JSON object`);
  return json as Record<string, unknown>;
}
