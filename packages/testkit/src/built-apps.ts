// The apps as compiled programs: compiling them, and the arguments that start one without a loader.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const WORKSPACE = fileURLToPath(new URL('../../../', import.meta.url));
const APPS = ['core', 'architect'] as const;
const COMPILER = join(WORKSPACE, 'node_modules/typescript/bin/tsc');

/**
 * Compiles the apps and the packages that they import, as far as sources have changed, and bundles the command line. Run it before `spawnCore` and
 * `spawnArchitect`, which start what is in `dist`. Rejects with the compiler's output when there is a type error.
 */
export async function buildApps(): Promise<void> {
  const folders = APPS.map((app) => join('apps', app));
  try {
    await promisify(execFile)(process.execPath, [COMPILER, '-b', ...folders, '--pretty', 'false'], { cwd: WORKSPACE });
  } catch (error) {
    const output = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`tsc -b ${folders.join(' ')} failed:\n${output}`, { cause: error });
  }
  await promisify(execFile)(process.execPath, ['build.ts'], { cwd: join(WORKSPACE, 'apps/cli') });
}

/** The command line as one file, which `buildApps` makes. */
export const BUILT_CLI = join(WORKSPACE, 'apps/cli/dist/swarm.js');

/**
 * For processes that live for seconds: V8 optimises the embedded database much later than by itself, since that takes half of the
 * processor time of a start, and pays only for one that works for minutes.
 */
const LATE_TIER_UP = '--wasm-tiering-budget=200000000';

/** Arguments of Node.js for a compiled app. By the condition `built`, packages resolve to their `dist` as well. */
export const builtApp = (app: (typeof APPS)[number]): string[] => [
  LATE_TIER_UP,
  '--conditions=built',
  join(WORKSPACE, 'apps', app, 'dist/main.js'),
];
