// The samples of the documentation: each one compiles, runs on a whole swarm, and prints what its page shows.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { allPages, samplesOf } from './blocks.ts';
import { PAGES } from './pages.ts';
import { compile, ProgramFiles } from './programs.ts';
import { runPage } from './run-page.ts';
import { makeSurroundings, type Surroundings } from './surroundings.ts';

/** What the samples take for given: for the compiler, and at run time. */
const GIVEN = `
import type { Json } from '@hypercode/client';
import { SwarmModule as Module, type SwarmModuleOptions } from '@hypercode/nestjs';
declare global {
  const SwarmModule: typeof Module;
  class ConfigModule {}
  class ConfigService { readonly swarm: SwarmModuleOptions }
  const options: SwarmModuleOptions;
  const url: string;
  const token: string;
  function translate(input: Json, options: { signal: AbortSignal }): Promise<Json>;
}
const { SWARM_URL: url = '', SWARM_TOKEN: token = '' } = process.env;
const options = { url, token, name: 'given', role: 'worker', version: '1.0.0' };
Object.assign(globalThis, { SwarmModule: Module, ConfigModule: class {}, ConfigService: class {}, options, url, token, translate: async () => null });
`;

const files = new ProgramFiles();
let around: Surroundings;
let given: string;

beforeAll(async () => {
  given = join(files.folderIn('packages/nestjs'), 'given.ts');
  await writeFile(given, GIVEN);
  around = await makeSurroundings();
});
afterAll(async () => {
  await around?.close();
  await files.remove();
});

/** Generated; its examples run in apps/cli/test/examples.test.ts. */
const COMMAND_LINE = 'docs/cli.md';

test('every page with samples is listed, and every entry is about one sample', async () => {
  for (const path of allPages()) {
    if (path === COMMAND_LINE) continue;
    const samples = await samplesOf(path);
    const page = PAGES.find((one) => one.path === path);
    const isListed = (code: string) =>
      page?.steps?.some(({ sample, notRun }) => notRun !== undefined && code.includes(sample));
    const others = samples.filter(({ language, code }) => !['sh', 'ts'].includes(language) && isListed(code) !== true);
    expect({ path, others }).toEqual({ path, others: [] });
    expect({ path, isListed: page !== undefined }).toEqual({ path, isListed: samples.length > 0 });
    for (const { sample } of page?.steps ?? []) {
      expect({ path, sample, matches: samples.filter(({ code }) => code.includes(sample)).length }).toEqual({
        path,
        sample,
        matches: 1,
      });
    }
  }
});

test('all samples in TypeScript compile', async () => {
  const written = [given];
  for (const page of PAGES) {
    const folder = files.folderIn(page.folder ?? '.');
    for (const sample of await samplesOf(page.path)) {
      if (sample.language === 'ts') written.push(await files.write(folder, sample));
    }
  }
  expect(await compile(written, files.folderIn('.'))).toBe('');
});

test.each(PAGES)('the samples of $path run', async (page) => {
  expect(await runPage(page, { around, files, given })).toEqual([]);
});
