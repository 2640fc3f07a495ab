// The browser of the tests: Chromium, from the PATH or from Debian's packages.
import { join } from 'node:path';
import { installDebianPackage } from './debian-package.ts';
import { findExecutables, searchPath } from './executable.ts';

/** The path of the program. */
export async function findChromium(): Promise<string> {
  const find = () => findExecutables(searchPath(), ['chromium'], (text) => text.startsWith('Chromium'));
  let folder = await find();
  if (folder === undefined) {
    await installDebianPackage('chromium');
    folder = await find();
  }
  if (folder === undefined) throw new Error('no Chromium for the tests: on Debian, apt-get install chromium');
  return join(folder, 'chromium');
}
