// How many bytes of snapshots are in memory.
import { HeldClock } from '@hypercode/clock/testing';
import { openDatabase } from '@hypercode/stores';
import { migratedFolder } from '@hypercode/stores/testing';
import { expect, onTestFinished, test } from 'vitest';
import { registrySchema } from '../../src/database-schema.ts';
import type { Schema } from '../../src/schema.ts';
import { Snapshots } from '../../src/watch/snapshots.ts';

test('the oldest snapshot is dropped when newer ones need its room, and its watcher is refused with UNAVAILABLE', async () => {
  const folder = await migratedFolder('snapshots', [registrySchema]);
  const database = await openDatabase({ dataDir: folder.path });
  const clock = new HeldClock();
  const db = database.kysely.$extendTables<Schema>();
  // A namespace that was written to: snapshots of others are not kept.
  await db.insertInto('namespaces').values({ namespace: 'default', revision: 1, horizon: 0 }).execute();
  const snapshots = new Snapshots(db, clock, { leaseMs: 60_000, maxBytes: 1 });
  onTestFinished(async () => {
    snapshots.close();
    await database.close();
    await folder.remove();
  });
  const first = await snapshots.get('default', { filter: { role: 'a' }, view: 'full' }, 0, false);
  const release = first.use();
  expect(await first.chunk(0)).not.toBeNull();
  expect(await first.chunk(1)).toBeNull();

  const second = await snapshots.get('default', { filter: { role: 'b' }, view: 'full' }, 0, false);
  await expect(first.chunk(0)).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfterMs: expect.any(Number) });
  // However large it is, the newest stays.
  expect(await second.chunk(0)).not.toBeNull();
  release();

  const again = await snapshots.get('default', { filter: { role: 'a' }, view: 'full' }, 0, false);
  expect(again).not.toBe(first);
  expect(await again.chunk(0)).not.toBeNull();
});
