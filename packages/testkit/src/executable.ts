// Finding server binaries that really are what their name says.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The folders of PATH, in order. */
export function searchPath(): string[] {
  return (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
}

/** The first folder that holds all `names` as executables and whose first one reports an accepted `--version`. */
export async function findExecutables(
  folders: readonly string[],
  names: readonly [string, ...string[]],
  accepts: (version: string) => boolean,
): Promise<string | undefined> {
  for (const folder of folders) {
    try {
      for (const name of names) await access(join(folder, name), constants.X_OK);
      const { stdout } = await run(join(folder, names[0]), ['--version'], { timeout: 10_000 });
      if (accepts(stdout)) return folder;
    } catch {
      continue;
    }
  }
  return undefined;
}
