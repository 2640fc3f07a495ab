// The image of a migrated, empty database: what a core that stores nothing begins with.
import { migrate, openDatabase, packDatabase } from '@hypercode/stores';
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCHEMAS } from './assemble-core.ts';
import { VERSION } from './version.ts';

/** Writes the image to the file `path`, in some seconds: all of it, or nothing. */
export async function writeDatabaseImage(path: string): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'swarm-image-'));
  try {
    const database = await openDatabase({ dataDir });
    try {
      await migrate(database.kysely, SCHEMAS);
    } finally {
      await database.close();
    }
    await packDatabase(dataDir, path);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/**
 * Differs for cores whose images differ in their tables. Functions may differ: a core that begins with an image installs its own.
 */
export function databaseImageKey(): string {
  const hash = createHash('sha256')
    .update(VERSION)
    .update(import.meta.resolve('@hypercode/stores'));
  for (const { migrations } of SCHEMAS) {
    for (const name of Object.keys(migrations)) hash.update(name).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}
