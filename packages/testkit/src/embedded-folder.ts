// Data folders with a new, empty embedded database in them. Making its files takes seconds, so they are made once and copied.
import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { type TemporaryFolder, temporaryFolder } from './death-guard.ts';

const CACHE = fileURLToPath(new URL('../../../node_modules/.cache/hypercode/', import.meta.url));
/** Where packages/database keeps its files in a data folder. */
const DATABASE = 'database';

/** As `temporaryFolder`, with the files of an empty database, as `openDatabase` would have made them. */
export async function embeddedFolder(purpose: string): Promise<TemporaryFolder> {
  const folder = temporaryFolder(purpose);
  try {
    await cp(await templateFiles(), join(folder.path, DATABASE), { recursive: true });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  return folder;
}

/** Made by whoever comes first; other versions of PGlite have others. */
async function templateFiles(): Promise<string> {
  const version = createHash('sha256')
    .update(import.meta.resolve('@electric-sql/pglite'))
    .digest('hex')
    .slice(0, 16);
  const template = join(CACHE, `pglite-${version}`);
  if (existsSync(template)) return template;
  await mkdir(CACHE, { recursive: true });
  const unfinished = `${template}.${randomUUID()}`;
  try {
    const pglite = await PGlite.create({ dataDir: unfinished });
    await pglite.close();
    await rename(unfinished, template);
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    // Another process may have been faster.
    if (!existsSync(template)) throw error;
  }
  return template;
}
