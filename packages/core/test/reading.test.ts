// Reading makes no state: namespaces without any write leave nothing behind when they are read, on the embedded database.
import { openDatabase } from '@hypercode/stores';
import { temporaryFolder } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';
import { expectNothingFollowed, readNamespaces, rowsOf } from './read-everything.ts';

/** The store is written by the same functions as PostgreSQL, where a thousand are read. */
const NAMESPACES = 100;

const folder = temporaryFolder('reading');
let core: TestCore;

beforeAll(async () => {
  core = await startTestCore({ dataDir: folder.path });
}, START_TIMEOUT_MS);
afterAll(() => folder.remove());

async function storedRows(): Promise<Record<string, number>> {
  const database = await openDatabase({ dataDir: folder.path });
  try {
    return await rowsOf(database.kysely as never);
  } finally {
    await database.close();
  }
}

test('reading fresh namespaces leaves no row, feed or policy behind', async () => {
  await core.close();
  const before = await storedRows();
  core = await startTestCore({ dataDir: folder.path });
  await readNamespaces(
    core,
    Array.from({ length: NAMESPACES }, (_, index) => `fresh-${index}`),
  );
  await expectNothingFollowed(core);
  await core.close();
  expect(await storedRows()).toEqual(before);
}, 120_000);
