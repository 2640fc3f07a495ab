// One process at a time on a data folder, by a lock that the kernel holds and gives back when the process ends.
import { type Clock, sleep } from '@hypercode/clock';
import { readFile, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { writeFileAtomically } from './write-file-atomically.ts';

/** Another process holds the data folder. The message names the folder and the process. */
export class DataDirLockedError extends Error {
  override readonly name = 'DataDirLockedError';
}

export interface FolderLock {
  release(): Promise<void>;
}

const RETRY_MS = 50;
/** What is held: a connection that the garbage collector takes would give its lock back. */
const connections = new Set<DatabaseSync>();
const SQLITE_BUSY = 5;

const Holder = z.object({ pid: z.number().int(), host: z.string(), startedAt: z.string() });

/**
 * Takes the lock of `folder`, trying for `waitMs` milliseconds, and throws `DataDirLockedError` after that.
 *
 * Node.js has no call for file locks, but its SQLite takes them: an exclusive transaction on `lock.sqlite` is a lock
 * that every process on this kernel sees, containers that share the folder included. The kernel drops it when the
 * process ends in any way, and keeps it while the process is stopped, so no pid has to be judged for whether its process
 * lives. `holder.json` is only for people.
 */
export async function lockFolder(folder: string, waitMs: number, clock: Clock): Promise<FolderLock> {
  const holderFile = join(folder, 'holder.json');
  const deadline = clock.monotonicMs() + waitMs;
  let lock = tryLock(folder);
  while (lock === null) {
    const leftMs = deadline - clock.monotonicMs();
    if (leftMs <= 0)
      throw new DataDirLockedError(`the data folder ${folder} is in use by ${await describe(holderFile)}`);
    await sleep(clock, Math.min(RETRY_MS, leftMs));
    lock = tryLock(folder);
  }
  const held = lock;
  try {
    const holder: z.infer<typeof Holder> = {
      pid: process.pid,
      host: hostname(),
      startedAt: new Date().toISOString(),
    };
    await writeFileAtomically(holderFile, `${JSON.stringify(holder)}\n`);
  } catch (error) {
    unlock(held);
    throw error;
  }
  return {
    release: async () => {
      if (!connections.has(held)) return;
      try {
        await rm(holderFile, { force: true });
      } finally {
        unlock(held);
      }
    },
  };
}

function unlock(database: DatabaseSync): void {
  if (connections.delete(database)) database.close();
}

/** The connection that holds the lock, or null when another process does. Never waits. */
function tryLock(folder: string): DatabaseSync | null {
  const database = new DatabaseSync(join(folder, 'lock.sqlite'), { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    connections.add(database);
    return database;
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
}

/** Extended result codes carry the primary one in their low byte. */
const isBusy = (error: unknown): boolean =>
  error instanceof Error &&
  'errcode' in error &&
  typeof error.errcode === 'number' &&
  (error.errcode & 0xff) === SQLITE_BUSY;

async function describe(holderFile: string): Promise<string> {
  try {
    const { pid, host, startedAt } = Holder.parse(JSON.parse(await readFile(holderFile, 'utf8')));
    return `process ${pid} on ${host}, since ${startedAt}`;
  } catch {
    return 'another process';
  }
}
