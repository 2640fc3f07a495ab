// An npm project outside of the workspace, with the packed packages in it.
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type TemporaryFolder, temporaryFolder } from '@hypercode/testkit';

const WORKSPACE = fileURLToPath(new URL('../../', import.meta.url));
const FIXTURES = fileURLToPath(new URL('fixture/', import.meta.url));

export interface Installed {
  readonly packages: readonly string[];
  /** The oldest Node.js that they run on. */
  readonly oldestNode: string;
}

/** What a user of the client, also in NestJS, installs. */
export const FOR_CLIENTS: Installed = {
  packages: ['contracts', 'clock', 'client', 'nestjs'],
  oldestNode: '22.12.0',
};
/** What a user of `@hypercode/testing` installs: a core besides. */
export const FOR_TESTS: Installed = {
  oldestNode: '24.0.0',
  packages: [
    ...[
      'contracts',
      'clock',
      'client',
      'plans',
      'schemas',
      'feed',
      'stores',
      'registry',
      'bus',
      'operations',
      'server',
      'mcp',
      'core',
    ],
    'swarm-testing',
  ],
};

/** npm's names for the versions of the compiler: they stand beside each other in one project. */
export const COMPILERS = { '5.9': 'npm:typescript@~5.9.0', '7': 'npm:typescript@^7.0.0' } as const;
export type Compiler = keyof typeof COMPILERS;
export const RESOLUTIONS = { nodenext: 'nodenext', bundler: 'preserve' } as const;
export type Resolution = keyof typeof RESOLUTIONS;

interface ProjectOptions {
  readonly program: string;
  /** What it installs besides. */
  readonly uses: readonly string[];
  readonly compiledBy: readonly Compiler[];
}

/** Runs a program to its end; rejects with all that it printed. */
async function run(cwd: string, command: string, args: readonly string[]): Promise<string> {
  // What the tests were started with (a package manager's settings among it) is none of the project's.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.toLowerCase().startsWith('npm_')),
  );
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd, env, maxBuffer: 16 * 1024 * 1024 });
    return stdout;
  } catch (error) {
    const output = error instanceof Error ? Object.entries(error).map(([, value]) => String(value)) : [];
    throw new Error(`${command} ${args.join(' ')} failed:\n${output.join('\n')}`, { cause: error });
  }
}

/** Builds and packs the packages as they would be published, in one run of pnpm. The tarballs lie in the folder. */
export async function packPackages(packages: readonly string[]): Promise<TemporaryFolder> {
  const folder = temporaryFolder('packed');
  const compiler = join(WORKSPACE, 'node_modules/typescript/bin/tsc');
  const folders = packages.map((name) => join('packages', name));
  await run(WORKSPACE, process.execPath, [compiler, '-b', ...folders]);
  const filters = folders.flatMap((name) => ['--filter', `./${name}`]);
  await run(WORKSPACE, 'npx', ['--yes', 'pnpm@12', ...filters, 'pack', '--pack-destination', folder.path]);
  return folder;
}

/** The tarball of a package of the workspace, whose folder is called `name`. */
async function tarballOf(tarballs: string, name: string): Promise<string> {
  const manifest = await readFile(join(WORKSPACE, 'packages', name, 'package.json'), 'utf8');
  const { name: published, version } = JSON.parse(manifest) as { name: string; version: string };
  return join(tarballs, `${published.replace('@', '').replace('/', '-')}-${version}.tgz`);
}

export class NpmProject {
  readonly #folder: TemporaryFolder;

  private constructor(folder: TemporaryFolder) {
    this.#folder = folder;
  }

  /**
   * A project with the tarballs of its packages, what it `uses` besides, the compilers and the oldest Node.js. Its program is
   * `fixture/<program>.ts`.
   */
  static async create(
    tarballs: string,
    { packages, oldestNode }: Installed,
    { program, uses, compiledBy }: ProjectOptions,
  ): Promise<NpmProject> {
    const folder = temporaryFolder('npm-project');
    const packed = await Promise.all(packages.map((name) => tarballOf(tarballs, name)));
    await writeFile(
      join(folder.path, 'package.json'),
      JSON.stringify({ name: 'outside', private: true, type: 'module' }),
    );
    await copyFile(join(FIXTURES, `${program}.ts`), join(folder.path, 'program.ts'));
    const compilers = compiledBy.map((version) => `typescript-${version}@${COMPILERS[version]}`);
    await run(folder.path, 'npm', [
      'install',
      '--no-audit',
      '--no-fund',
      '--prefer-offline',
      ...packed,
      ...uses,
      '@types/node@22',
      `node@${oldestNode}`,
      ...compilers,
    ]);
    return new NpmProject(folder);
  }

  get path(): string {
    return this.#folder.path;
  }

  /** The version of zod that a package of the project loads. */
  async zodVersions(): Promise<string[]> {
    const listed = await run(this.path, 'npm', ['ls', 'zod', '--all', '--parseable']);
    const folders = listed
      .trim()
      .split('\n')
      .filter((line) => line.endsWith('zod'));
    const read = async (folder: string) => JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as object;
    return Promise.all(
      folders.map(async (folder) => String(Object.entries(await read(folder)).find(([key]) => key === 'version')?.[1])),
    );
  }

  /** Compiles the program, every declaration that it reaches included. Rejects with the compiler's errors. */
  async compile(compiler: Compiler, resolution: Resolution): Promise<void> {
    const compilerOptions = {
      target: 'ES2022',
      lib: ['ES2024', 'ESNext.Disposable'],
      types: ['node'],
      module: RESOLUTIONS[resolution],
      moduleResolution: resolution,
      strict: true,
      skipLibCheck: false,
      experimentalDecorators: true,
      outDir: 'dist',
    };
    const config = join(this.path, `tsconfig.${compiler}-${resolution}.json`);
    await writeFile(config, JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    const program = join(this.path, 'node_modules', `typescript-${compiler}`, 'bin/tsc');
    await run(this.path, process.execPath, [program, '-p', config, '--pretty', 'false']);
  }

  /** Runs the compiled program; what it printed at last, as JSON. */
  async runProgram(node: 'oldest' | 'newest', args: readonly string[]): Promise<{ node: string; printed: unknown }> {
    const executable = node === 'oldest' ? join(this.path, 'node_modules/.bin/node') : process.execPath;
    const version = await run(this.path, executable, ['--version']);
    const output = await run(this.path, executable, [join('dist', 'program.js'), ...args]);
    return { node: version.trim(), printed: JSON.parse(output.trim().split('\n').at(-1) ?? '') };
  }

  /** The whole entry for browsers in one file. */
  async browserEntry(): Promise<string> {
    await mkdir(join(this.path, 'browser'), { recursive: true });
    const entry = join(this.path, 'browser/entry.js');
    await writeFile(entry, "import * as client from '@hypercode/client';\nglobalThis.client = client;\n");
    return entry;
  }

  remove(): Promise<void> {
    return this.#folder.remove();
  }
}
