// The embedded core of a workspace: its tokens are in `credentials.json` of its data folder.
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Environment } from '../output/terminal.ts';

/** The address of a core that nothing else is said of. */
export const defaultUrl = (env: Environment): string => `http://127.0.0.1:${env['SWARM_PORT'] || '7700'}`;

export interface EmbeddedCredentials {
  readonly path: string;
  readonly adminToken: string;
  readonly joinToken: string;
}

/** The credentials in `SWARM_DATA_DIR`, or in `.swarm` of the folder `cwd` or one above it; null: there are none. */
export async function embeddedCredentials(env: Environment, cwd: string): Promise<EmbeddedCredentials | null> {
  const given = env['SWARM_DATA_DIR'] ?? '';
  const folders = given === '' ? dataFoldersAbove(cwd) : [resolve(cwd, given)];
  for (const folder of folders) {
    const path = join(folder, 'credentials.json');
    const tokens = tokensIn(await readFile(path, 'utf8').catch(() => ''));
    if (tokens !== undefined) return { path, ...tokens };
  }
  return null;
}

function dataFoldersAbove(cwd: string): string[] {
  const folders: string[] = [];
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    folders.push(join(folder, '.swarm'));
    if (dirname(folder) === folder) return folders;
  }
}

function tokensIn(text: string): Pick<EmbeddedCredentials, 'adminToken' | 'joinToken'> | undefined {
  try {
    const { adminToken, joinToken } = JSON.parse(text) as { adminToken?: unknown; joinToken?: unknown };
    if (typeof adminToken !== 'string' || adminToken === '') return undefined;
    return { adminToken, joinToken: typeof joinToken === 'string' ? joinToken : '' };
  } catch {
    return undefined;
  }
}

/** Whether the address is on this machine: the tokens of an embedded core are sent to no other. */
export function isLoopback(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { hostname } = new URL(url);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}
