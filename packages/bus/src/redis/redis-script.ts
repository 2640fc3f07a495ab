// Lua scripts as files: their includes, their SHA-1, and the call that sends the text only to a server that does not know it.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { RedisClient } from '@hypercode/stores';

/** Beside this file; and from `dist`, where the compiler puts no Lua, in the sources, which are published as well. */
const FOLDERS = ['./lua/', '../../src/redis/lua/'];
const INCLUDE = /^-- @include ([a-z-]+)\n/gm;

export interface RedisScript {
  readonly sha: string;
  readonly text: string;
}

/** Reads `lua/<name>.lua`. A line `-- @include <name>` stands for the text of that file, which is put there once. */
export function loadScript(name: string): RedisScript {
  const included = new Set<string>();
  const read = (file: string): string => {
    if (included.has(file)) return '';
    included.add(file);
    return readLua(file).replaceAll(INCLUDE, (_line, other: string) => read(other));
  };
  const text = read(name);
  return { text, sha: createHash('sha1').update(text).digest('hex') };
}

function readLua(name: string): string {
  const places = FOLDERS.map((folder) => new URL(`${folder}${name}.lua`, import.meta.url));
  const place = places.find((url) => existsSync(url));
  if (place === undefined) throw new Error(`the script ${name}.lua was not found in ${places.join(', ')}`);
  return readFileSync(place, 'utf8');
}

/** Runs the script. A server that does not know it has done nothing, so it may be sent again with its text. */
export async function runScript(
  client: RedisClient,
  script: RedisScript,
  call: { keys: readonly string[]; args: readonly (string | number)[] },
): Promise<unknown> {
  const values = [...call.keys, ...call.args];
  try {
    return await client.evalsha(script.sha, call.keys.length, ...values);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
    return client.eval(script.text, call.keys.length, ...values);
  }
}
