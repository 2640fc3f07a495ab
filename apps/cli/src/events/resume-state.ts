// What a command that can be killed at any moment keeps beside its file, so that the next start goes on where it was.
import { open, readFile, rename } from 'node:fs/promises';

/** The state in the file `path`; null when there is no file, or when this command did not write it. */
export async function readState<T extends { readonly format: string }>(
  path: string,
  format: T['format'],
): Promise<T | null> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
  try {
    const state = JSON.parse(text) as T;
    return state.format === format ? state : null;
  } catch {
    return null;
  }
}

/** Replaces the state in one step: a reader finds either the old state or the new one. */
export async function writeState(path: string, state: { readonly format: string }): Promise<void> {
  const beside = `${path}.new`;
  const file = await open(beside, 'w', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(state, null, 2)}\n`);
    await file.datasync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
}

const isMissing = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ENOENT';
