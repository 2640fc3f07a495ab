// Which core a command talks to, and with which token.
import { readFile } from 'node:fs/promises';
import type { Surroundings } from '../output/terminal.ts';
import { EXIT, Failure, wrongUsage } from '../program/exit-codes.ts';
import { readContexts } from './config-file.ts';
import { defaultUrl, embeddedCredentials, isLoopback } from './embedded.ts';
import { readToken } from './token-input.ts';

export interface Target {
  readonly url: string;
  readonly token: string;
  readonly namespace: string | undefined;
  /** Where address and token come from, in words. */
  readonly from: string;
}

/** What the options of the command line say of it. */
export interface TargetOptions {
  readonly url: string | undefined;
  readonly tokenFile: string | undefined;
  readonly context: string | undefined;
  readonly namespace: string | undefined;
}

/**
 * In this order: `--url` and `--token-file`, `--context`, `SWARM_URL` and `SWARM_TOKEN` (or `SWARM_TOKEN_FILE`), the chosen context, the
 * embedded core of the workspace. A token goes only to the address that it is kept for.
 */
export async function findTarget(surroundings: Surroundings, given: TargetOptions): Promise<Target> {
  const found = await find(surroundings, given);
  return { ...found, namespace: given.namespace ?? (surroundings.env['SWARM_NAMESPACE'] || found.namespace) };
}

async function find(surroundings: Surroundings, given: TargetOptions): Promise<Target> {
  const { env, cwd } = surroundings;
  const { current, contexts } = await readContexts(env);
  if (given.context !== undefined) {
    const context = Object.hasOwn(contexts, given.context) ? contexts[given.context] : undefined;
    if (context === undefined) {
      const names = Object.keys(contexts).join(', ');
      throw wrongUsage(`no context is called "${given.context}"`, `contexts: ${names === '' ? 'none' : names}`);
    }
    const token = given.tokenFile === undefined ? context.token : await readToken(surroundings, given.tokenFile);
    return {
      ...context,
      url: given.url ?? context.url,
      token,
      namespace: context.namespace,
      from: `context ${given.context}`,
    };
  }
  const envUrl = env['SWARM_URL'] || undefined;
  const chosen = current === null ? undefined : contexts[current];
  const url = given.url ?? envUrl ?? chosen?.url ?? defaultUrl(env);
  const fixed = { url, namespace: undefined };
  if (given.tokenFile !== undefined)
    return { ...fixed, token: await readToken(surroundings, given.tokenFile), from: '--token-file' };
  const envToken = env['SWARM_TOKEN'] || (await tokenOfFile(env['SWARM_TOKEN_FILE']));
  if (envToken !== undefined) return { ...fixed, token: envToken, from: 'SWARM_TOKEN' };
  if (chosen !== undefined && chosen.url === url)
    return { ...chosen, namespace: chosen.namespace, from: `context ${current}` };
  const credentials = isLoopback(url) ? await embeddedCredentials(env, cwd) : null;
  if (credentials !== null) return { ...fixed, token: credentials.adminToken, from: credentials.path };
  throw new Failure(
    EXIT.denied,
    `there is no token for ${url}`,
    'give one with --token-file FILE or SWARM_TOKEN, add a context (swarm context add NAME --url URL), or run it in the folder of an embedded core',
  );
}

async function tokenOfFile(path: string | undefined): Promise<string | undefined> {
  if (path === undefined || path === '') return undefined;
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw wrongUsage(`SWARM_TOKEN_FILE: ${error instanceof Error ? error.message : String(error)}`);
  }
}
