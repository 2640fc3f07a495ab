// The folder of an embedded core: its database and its tokens, for one process at a time.
import { type Clock, systemClock } from '@hypercode/clock';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Credentials, keepCredentials } from './credentials.ts';
import { lockFolder } from './folder-lock.ts';

export interface DataDir {
  readonly path: string;
  /** The tokens kept here, made at the first call. A token in `given` takes the place of its own, and is not written. */
  credentials(given?: GivenTokens): Promise<Credentials>;
  /** Lets the next process have the folder. Close the database first. Safe to call again. */
  close(): Promise<void>;
}

export type GivenTokens = { readonly [K in keyof Credentials]?: string | null };

export interface DataDirOptions {
  /** How long to wait while another process holds the folder, in milliseconds. Default 5,000. */
  waitMs?: number;
  /** Default: the system's. */
  clock?: Clock;
}

const WAIT_MS = 5_000;

/**
 * Makes the folder at `path` if need be (mode 0700) and locks it for this process until `close()` or the end of the
 * process. Throws `DataDirLockedError` when another process still holds it after `waitMs`.
 */
export async function openDataDir(path: string, options: DataDirOptions = {}): Promise<DataDir> {
  const { waitMs = WAIT_MS, clock = systemClock } = options;
  await mkdir(path, { recursive: true, mode: 0o700 });
  const lock = await lockFolder(path, waitMs, clock);
  let kept: Promise<Credentials> | undefined;
  return {
    path,
    credentials: async (given = {}) => {
      kept ??= keepCredentials(join(path, 'credentials.json'));
      const { adminToken, joinToken, viewerToken } = await kept;
      return {
        adminToken: given.adminToken ?? adminToken,
        joinToken: given.joinToken ?? joinToken,
        viewerToken: given.viewerToken ?? viewerToken,
      };
    },
    close: () => lock.release(),
  };
}
