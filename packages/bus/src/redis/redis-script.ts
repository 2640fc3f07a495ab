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

export interface ScriptCall {
  readonly keys: readonly string[];
  readonly args: readonly (string | number)[];
}

/** Runs the script. A server that does not know it has done nothing, so it may be sent again with its text. */
export async function runScript(client: RedisClient, script: RedisScript, call: ScriptCall): Promise<unknown> {
  try {
    return await client.evalsha(script.sha, call.keys.length, ...call.keys, ...call.args);
  } catch (error) {
    return runUnknown(client, script, call, error);
  }
}

/** After a refusal: with the text, if that was what was missing. */
async function runUnknown(
  client: RedisClient,
  script: RedisScript,
  call: ScriptCall,
  refusal: unknown,
): Promise<unknown> {
  if (!(refusal instanceof Error) || !refusal.message.startsWith('NOSCRIPT')) throw refusal;
  return client.eval(script.text, call.keys.length, ...call.keys, ...call.args);
}

/** Calls that are sent in one piece. */
const SENT_AT_ONCE = 500;

/** Runs the script for each call, sent in pieces: a write for each would cost more than the scripts. All keys are in one slot. */
export async function runScripts(
  client: RedisClient,
  script: RedisScript,
  calls: readonly ScriptCall[],
): Promise<unknown[]> {
  const answers: unknown[] = [];
  for (let at = 0; at < calls.length; at += SENT_AT_ONCE) {
    answers.push(...(await runPiece(client, script, calls.slice(at, at + SENT_AT_ONCE))));
  }
  return answers;
}

async function runPiece(client: RedisClient, script: RedisScript, calls: readonly ScriptCall[]): Promise<unknown[]> {
  const pipeline = client.pipeline();
  for (const { keys, args } of calls) pipeline.evalsha(script.sha, keys.length, ...keys, ...args);
  const answers = (await pipeline.exec()) ?? [];
  return Promise.all(
    calls.map((call, index) => {
      const [refusal, answer] = answers[index] ?? [new Error('the connection was closed'), null];
      return refusal === null ? answer : runUnknown(client, script, call, refusal);
    }),
  );
}
