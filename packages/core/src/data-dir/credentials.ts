// The tokens of an embedded core: made once, kept in credentials.json.
import { randomBytes } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { z } from 'zod';
import { writeFileAtomically } from './write-file-atomically.ts';

const Kept = z.object({
  adminToken: z.string().min(16),
  joinToken: z.string().min(16),
  viewerToken: z.string().min(16),
});

export type Credentials = z.infer<typeof Kept>;

const newToken = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`;

/**
 * The credentials in the file at `path`, which is made if it is missing and brought to mode 0600 if it is not. Throws
 * when the file holds anything else: tokens that are in use are never replaced.
 */
export async function keepCredentials(path: string): Promise<Credentials> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  });
  if (text === null) {
    const credentials: Credentials = {
      adminToken: newToken('swadm'),
      joinToken: newToken('swjoin'),
      viewerToken: newToken('swview'),
    };
    await writeFileAtomically(path, `${JSON.stringify(credentials, null, 2)}\n`);
    return credentials;
  }
  await chmod(path, 0o600);
  const kept = Kept.safeParse(parseJson(text));
  if (!kept.success) {
    throw new Error(
      `${path} does not contain adminToken, joinToken and viewerToken: repair the file, or remove it to get new tokens`,
    );
  }
  return kept.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
