// The file of contexts: `swarm/contexts.json` in the configuration folder of the person (XDG Base Directory), mode 0600.
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { EXIT, Failure } from '../program/exit-codes.ts';
import type { Environment } from '../output/terminal.ts';

/** A core with the token for it. */
export interface Context {
  readonly url: string;
  readonly token: string;
  readonly namespace?: string | undefined;
}

export interface Contexts {
  /** The name of the chosen one. */
  readonly current: string | null;
  readonly contexts: Readonly<Record<string, Context>>;
}

const NONE: Contexts = { current: null, contexts: {} };

/** XDG Base Directory Specification, section 3: a path that is not absolute is ignored. */
export function contextsPath(env: Environment): string {
  const given = env['XDG_CONFIG_HOME'] ?? '';
  const folder = given.startsWith('/') ? given : join(env['HOME'] ?? homedir(), '.config');
  return join(folder, 'swarm', 'contexts.json');
}

export async function readContexts(env: Environment): Promise<Contexts> {
  const path = contextsPath(env);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return NONE;
    throw unreadable(path, error instanceof Error ? error.message : String(error));
  }
  const { mode } = await stat(path);
  // Another program, or a copy, has opened it: tokens are for their owner alone.
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw unreadable(path, 'it is not JSON');
  }
  return contextsIn(json) ?? failUnreadable(path);
}

/** Writes beside the file and renames, so that a reader sees the old contexts or the new ones. */
export async function writeContexts(env: Environment, contexts: Contexts): Promise<void> {
  const path = contextsPath(env);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${process.pid}.new`;
  await rm(beside, { force: true });
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(contexts, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

function contextsIn(json: unknown): Contexts | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { current = null, contexts } = json as { current?: unknown; contexts?: unknown };
  if (typeof contexts !== 'object' || contexts === null) return undefined;
  if (current !== null && typeof current !== 'string') return undefined;
  if (!Object.values(contexts as Record<string, unknown>).every(isContext)) return undefined;
  return { current, contexts: contexts as Record<string, Context> };
}

function isContext(value: unknown): value is Context {
  if (typeof value !== 'object' || value === null) return false;
  const { url, token, namespace } = value as Partial<Record<keyof Context, unknown>>;
  return typeof url === 'string' && typeof token === 'string' && ['string', 'undefined'].includes(typeof namespace);
}

const unreadable = (path: string, reason: string): Failure =>
  new Failure(EXIT.usage, `the file of contexts ${path} cannot be read: ${reason}`);
function failUnreadable(path: string): never {
  throw unreadable(path, 'it has no contexts');
}
