// The TypeScript samples as programs: written as modules of the package that their page is about, compiled, and run.
import { waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Block, fileOf, ROOT } from './blocks.ts';

/** Ends what hangs, in milliseconds. */
const LIMIT_MS = 60_000;

const RUN_OPTIONS = 'tsconfig.run.json';
const TSX = import.meta.resolve('tsx');

/** Writes samples into ignored folders of packages, and removes them. */
export class ProgramFiles {
  readonly #folders: string[] = [];

  folderIn(packageFolder: string): string {
    const ignored = join(ROOT, packageFolder, '.tsbuild');
    mkdirSync(ignored, { recursive: true });
    const folder = mkdtempSync(join(ignored, 'samples-'));
    this.#folders.push(folder);
    // For what runs them. It takes the options of a tsconfig for the files of its folder alone.
    writeFileSync(join(folder, RUN_OPTIONS), JSON.stringify({ compilerOptions: { experimentalDecorators: true } }));
    return folder;
  }

  /** A block under the name that its first line gives, or one made of its place. */
  async write(folder: string, block: Block): Promise<string> {
    const name = fileOf(block) ?? `${block.page.replaceAll(/\W/g, '-')}-line-${block.line}.ts`;
    const path = join(folder, name);
    await writeFile(path, `${block.code}export {};\n`);
    return path;
  }

  async remove(): Promise<void> {
    await Promise.all(this.#folders.splice(0).map((folder) => rm(folder, { recursive: true })));
  }
}

/** Compiles the files against the packages. Gives the compiler's words; nothing when they compile. */
export async function compile(files: readonly string[], folder: string): Promise<string> {
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
  // The packages by reference: their sources are not checked again, and are compiled for the run.
  const references = ['packages/client', 'packages/nestjs', 'packages/swarm-testing'].map((path) => ({
    path: join(ROOT, path),
  }));
  const project = join(folder, 'tsconfig.json');
  const config = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions, files, references };
  await writeFile(project, JSON.stringify(config));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  try {
    await promisify(execFile)(process.execPath, [tsc, '-b', project, '--pretty', 'false'], { cwd: ROOT });
    return '';
  } catch (error) {
    return error instanceof Error && 'stdout' in error && error.stdout !== '' ? String(error.stdout) : String(error);
  }
}

export interface ProgramOptions {
  /** A module that is loaded first, and a loader that knows decorators. Without it, Node.js runs the program by itself. */
  readonly given: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  /** When a program that does not end by itself has done its work; then it gets the signal. */
  readonly until?: ((output: string) => unknown) | undefined;
  readonly signal?: NodeJS.Signals | undefined;
}

/** Runs a program to its end. Rejects when it fails. */
export async function run(
  file: string,
  { given, env, until, signal = 'SIGTERM' }: ProgramOptions,
): Promise<{ output: string; errors: string }> {
  const { PATH, HOME } = process.env;
  const loading = given === undefined ? [] : ['--import', TSX, '--import', given];
  // The compiled packages: a start takes half the time.
  const child = spawn(process.execPath, ['--conditions=built', ...loading, file], {
    cwd: ROOT,
    env: { PATH, HOME, TSX_TSCONFIG_PATH: join(file, '..', RUN_OPTIONS), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const release = guardProcess(child.pid ?? 0);
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  let end: string | undefined;
  const closed = once(child, 'close').then(([code, by]: (number | string | null)[]) => {
    release();
    end = String(code ?? by);
  });
  const words = () => `${file}\n${output}${errors}`;
  const timeout = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
  try {
    if (until !== undefined) {
      const isDone = async () => end !== undefined || (await until(output));
      await waitFor(isDone, { what: `the work of ${file}`, timeoutMs: LIMIT_MS }).catch((error: unknown) => {
        throw new Error(words(), { cause: error });
      });
      if (end !== undefined) throw new Error(`ended by itself with ${end}: ${words()}`);
      child.kill(signal);
    }
    await closed;
    const isWell = end === '0' || (until !== undefined && end === signal);
    if (!isWell) throw new Error(`ended with ${end}: ${words()}`);
    return { output, errors };
  } finally {
    clearTimeout(timeout);
    child.kill('SIGKILL');
    await closed;
  }
}
