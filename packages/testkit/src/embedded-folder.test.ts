// Data folders that begin with an empty database.
import { PGlite } from '@electric-sql/pglite';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { embeddedFolder } from './embedded-folder.ts';

test('each has an empty database of its own, however many are made at once', { timeout: 120_000 }, async () => {
  const folders = await Promise.all([embeddedFolder('a'), embeddedFolder('b')]);
  for (const folder of folders) {
    const pglite = await PGlite.create({ dataDir: join(folder.path, 'database') });
    await pglite.exec('create table t (x int)');
    const { rows } = await pglite.query("select tablename from pg_tables where schemaname = 'public'");
    expect(rows).toEqual([{ tablename: 't' }]);
    await pglite.close();
  }
  for (const folder of folders) await folder.remove();
});
