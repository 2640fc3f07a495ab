// Runs the samples of one page in their order, and compares what they print with what the page shows.
import { freshDatabase, sharedRedisUrl, temporaryFolder, waitFor } from '@hypercode/testkit';
import { type Block, fileOf, isShown, samplesOf, shownIn } from './blocks.ts';
import type { Page, Step } from './pages.ts';
import { type ProgramFiles, run } from './programs.ts';
import { type Ran, Shell } from './shell.ts';
import type { Surroundings } from './surroundings.ts';

/** How long output may take that a page promises, in milliseconds. */
const PATIENCE_MS = 30_000;

export interface Workshop {
  readonly around: Surroundings;
  readonly files: ProgramFiles;
  /** A module with what some pages take for given. */
  readonly given: string;
}

/** Everything that went wrong, by line of the page. */
export async function runPage(page: Page, { around, files, given }: Workshop): Promise<string[]> {
  await using started = new AsyncDisposableStack();
  const folder = temporaryFolder('shell');
  started.defer(() => folder.remove());
  const shell = new Shell(folder.path, around.clone, {
    ADMIN_TOKEN: around.adminToken,
    SWARM_URL: around.swarm.core,
    SWARM_PORT: '0',
    SWARM_REDIS_PREFIX: 'samples',
  });
  started.defer(async () => void (await shell.close()));
  const end = await page.fixture?.(around);
  if (end !== undefined) started.defer(async () => void (await end()));

  const samples = await samplesOf(page.path);
  const own = page.hasStores === true ? await withStores() : (code: string) => code;
  const codeOf = (sample: Block): string => own(around.withOwn(sample.code));
  // All of them first: one may import another.
  const programs = new Map<Block, string>();
  const home = files.folderIn(page.folder ?? '.');
  for (const sample of samples.filter(({ language }) => language === 'ts')) {
    programs.set(sample, await files.write(home, { ...sample, code: codeOf(sample) }));
  }

  const runSample = async (sample: Block, step: Step): Promise<Ran> => {
    const program = programs.get(sample);
    if (program === undefined) return shell.run(codeOf(sample));
    const { until, signal, env = () => ({}) } = step;
    const { output, errors } = await run(program, {
      given: page.takesForGiven === true ? given : undefined,
      env: { SWARM_URL: around.swarm.core, SWARM_TOKEN: around.joinToken, ...env(around) },
      until: until === undefined ? undefined : (soFar) => until(soFar, around),
      signal,
    });
    return { output: () => output, faults: errors.split('\n').filter((line) => line !== '') };
  };

  const faults: string[] = [];
  const promises: (() => Promise<void>)[] = [];
  for (const sample of samples) {
    const step = page.steps?.find((one) => sample.code.includes(one.sample)) ?? { sample: '' };
    if (step.notRun !== undefined) continue;
    const fault = (words: string): void => void faults.push(`line ${sample.line}: ${words}`);
    const file = fileOf(sample);
    if (file !== undefined) {
      if (!samples.some(({ code }) => code.includes(`from './${file}'`))) fault('no other sample imports it');
      continue;
    }
    let ran = await runSample(sample, step);
    ran.faults.forEach(fault);
    const shown = await Promise.all(shownIn(sample).map((text) => shell.expand(text)));
    const isRight = (): boolean => shown.every((text) => isShown(text, ran.output()));
    const isRightInTheEnd = async (): Promise<boolean> => {
      if (!isRight() && step.again !== undefined) ran = await runSample(sample, step);
      return isRight();
    };
    await comesTrue(isRightInTheEnd, step.again === undefined ? 0 : PATIENCE_MS).catch(() =>
      fault(`prints, but should print ${shown.join(' and ')}:\n${ran.output()}`),
    );
    promises.push(async () => {
      for (const expression of step.prints ?? []) {
        await comesTrue(() => expression.test(ran.output()), PATIENCE_MS).catch(() =>
          fault(`prints, but should print ${expression}:\n${ran.output()}`),
        );
      }
      if ((ran.output().trim() === '') !== (step.silent !== undefined)) fault(`prints "${ran.output()}"`);
    });
    // What comes after a fault fails because of it.
    if (faults.length > 0) break;
  }
  for (const keep of promises) await keep();
  return [...faults, ...(await shell.close())];
}

const comesTrue = (condition: () => boolean | Promise<boolean>, timeoutMs: number): Promise<boolean> =>
  waitFor(condition, { what: 'it', timeoutMs, intervalMs: 200 });

/** Puts stores in place of the dots. */
async function withStores(): Promise<(code: string) => string> {
  const database = await freshDatabase();
  return (code) =>
    code
      .replace('postgres://…', database)
      .replace('redis://…', sharedRedisUrl())
      .replaceAll('TOKEN=…', () => `TOKEN=${crypto.randomUUID()}`);
}
