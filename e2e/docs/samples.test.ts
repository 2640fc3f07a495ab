// The TypeScript samples of the documentation, compiled: each as a module of the package that its page is about.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What the samples take for given. */
const GIVEN = `
import type { Json } from '@hypercode/client';
import type { SwarmModule as Module, SwarmModuleOptions } from '@hypercode/nestjs';
declare global {
  const SwarmModule: typeof Module;
  class ConfigModule {}
  class ConfigService { readonly swarm: SwarmModuleOptions }
  const options: SwarmModuleOptions;
  const url: string;
  const token: string;
  function translate(input: Json, options: { signal: AbortSignal }): Promise<Json>;
}
`;

const PAGES = [
  ['README.md', '.'],
  ['docs/getting-started.md', '.'],
  ['docs/workers.md', '.'],
  ['packages/client/README.md', 'packages/client'],
  ['packages/nestjs/README.md', 'packages/nestjs'],
  ['packages/swarm-testing/README.md', 'packages/swarm-testing'],
] as const;

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

async function folderIn(packageFolder: string): Promise<string> {
  const ignored = join(ROOT, packageFolder, '.tsbuild');
  await mkdir(ignored, { recursive: true });
  const folder = await mkdtemp(join(ignored, 'samples-'));
  folders.push(folder);
  return folder;
}

test('all samples compile', async () => {
  const given = join(await folderIn('packages/nestjs'), 'given.ts');
  await writeFile(given, GIVEN);
  const files = [given];
  for (const [page, packageFolder] of PAGES) {
    const folder = await folderIn(packageFolder);
    const text = await readFile(join(ROOT, page), 'utf8');
    const samples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)];
    expect(samples.length).toBeGreaterThan(0);
    for (const { 1: code, index } of samples) {
      const line = text.slice(0, index).split('\n').length;
      const file = join(folder, `${page.replaceAll(/\W/g, '-')}-line-${line}.ts`);
      await writeFile(file, `${code}export {};\n`);
      files.push(file);
    }
  }
  const project = join(await folderIn('.'), 'tsconfig.json');
  const compilerOptions = {
    composite: false,
    declaration: false,
    declarationMap: false,
    noEmit: true,
    allowImportingTsExtensions: true,
    rewriteRelativeImportExtensions: false,
    experimentalDecorators: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    typeRoots: [join(ROOT, 'node_modules/@types')],
  };
  // The packages by reference: their sources are not checked again.
  const references = ['packages/client', 'packages/nestjs', 'packages/swarm-testing'].map((path) => ({
    path: join(ROOT, path),
  }));
  const config = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions, files, references };
  await writeFile(project, JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const run = promisify(execFile)(process.execPath, [tsc, '-b', project, '--pretty', 'false'], { cwd: ROOT });
  const faults = await run.then(
    () => '',
    (error: unknown) => (error instanceof Error && 'stdout' in error && error.stdout !== '' ? error.stdout : error),
  );
  expect(faults).toBe('');
});
