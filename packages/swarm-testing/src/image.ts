// The image of an empty database, which every swarm of a test begins with: made once, and kept for the next process.
import { databaseImageKey, writeDatabaseImage } from '@hypercode/core-runtime';
import findCacheDirectory from 'find-cache-directory';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

let made: Promise<string> | undefined;

/**
 * The path of the image. It is in `node_modules/.cache` of the package in which the process runs, and where that cannot be written,
 * in a temporary folder that ends with the process.
 */
export function databaseImage(): Promise<string> {
  made ??= make().catch((error: unknown) => {
    made = undefined;
    throw error;
  });
  return made;
}

async function make(): Promise<string> {
  const folder = findCacheDirectory({ name: 'hypercode-testing', create: true }) ?? temporaryFolder();
  const path = join(folder, `${databaseImageKey()}.tar`);
  if (!existsSync(path)) await writeDatabaseImage(path);
  return path;
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hypercode-testing-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
