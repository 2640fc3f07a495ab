// Builds the page into `dist`, unless it is newer than its sources. Two may run at once: each builds in a folder of its own, and then
// puts it in place.
import { globSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'vite';

const here = import.meta.dirname;
const root = join(here, '../..');
const SOURCES = ['apps/dashboard/{src,public}/**', 'apps/dashboard/*.*', 'packages/{client,clock,contracts}/src/**'];
const dist = join(here, 'dist');

const builtAt = statSync(join(dist, 'index.html'), { throwIfNoEntry: false })?.mtimeMs ?? 0;
if (globSync(SOURCES, { cwd: root }).some((path) => statSync(join(root, path)).mtimeMs > builtAt)) {
  process.stdout.write('building the dashboard\n');
  const outDir = join(here, `dist.${process.pid}`);
  try {
    await build({ root: here, logLevel: 'warn', build: { outDir, emptyOutDir: true } });
    rmSync(dist, { recursive: true, force: true });
    renameSync(outDir, dist);
  } finally {
    rmSync(outDir, { recursive: true, force: true });
  }
}
