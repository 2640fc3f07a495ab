// All tests of the workspace, in projects by what they need: nothing, a core, a compiler, PostgreSQL, Redis, or whole processes.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { Reporter, TestProject, Vitest } from 'vitest/node';
import { testScope } from './packages/testkit/src/setup/test-scope.ts';

const POSTGRES = 'packages/testkit/src/setup/postgres.ts';
const REDIS = 'packages/testkit/src/setup/redis.ts';
const APPS = 'packages/testkit/src/setup/apps.ts';

/** What a test needs stands before `.test` in its name, and what starts processes lives in `e2e`. */
const testsOf = (kind: string) => [`{packages,apps}/*/{src,test}/**/*.${kind}.{ts,tsx}`, `{bench,dev}/**/*.${kind}.ts`];
const elsewhere = ['**/node_modules/**', '**/dist/**'];
const onServers = ['pg', 'redis'].flatMap((need) => testsOf(`${need}.test`));
/** Tests that call a core in their process. */
const onCore = [
  'packages/{core,client,nestjs,swarm-testing}/test/**/*.test.{ts,tsx}',
  'apps/{architect,cli}/test/**/*.test.ts',
];

/** Fails a run when a project has no tests: its glob or its files went wrong, and nothing else would say so. */
class NoEmptyProject implements Reporter {
  #projects: readonly TestProject[] = [];

  onInit(vitest: Vitest): void {
    this.#projects = vitest.projects;
  }

  async onTestRunEnd(): Promise<void> {
    for (const project of this.#projects) {
      const { testFiles, typecheckTestFiles } = await project.globTestFiles();
      if (testFiles.length + typecheckTestFiles.length > 0) continue;
      console.error(`No tests found in the project "${project.name}".`);
      process.exitCode = 1;
    }
  }
}

/** Tests that hold whole cores to leases and deadlines: nothing that loads the machine runs beside them. */
const onTime = ['e2e/core/**/*.test.ts'];
/** Tests that measure memory and answers while they load the machine: one at a time. */
const alone = ['e2e/limits/**/*.test.ts'];
const onProcesses = { globalSetup: [APPS, POSTGRES, REDIS], testTimeout: 120_000, hookTimeout: 120_000 };

const inCi = Boolean(process.env['CI']);
const scope = testScope(process.env);
// For the workers, which inherit it.
process.env['SWARM_TEST_MATRIX'] = scope.matrix;
// Each file of tests and each core, agent and command that tests start would compile the same modules anew.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('.vitest/compiled', import.meta.url));
/** Tests of programs that are not the workspace's, and are downloaded for them. */
const downloading = process.env['SWARM_TEST_ALL'] === '1' ? [] : ['e2e/mcp/inspector.test.ts'];
/** Says how much runs: what is left out is never left out silently. */
const sayScope: Reporter = {
  onInit: () => {
    console.log(`Matrix of stores: ${scope.matrix}, ${scope.why}.`);
    for (const file of downloading) console.log(`Left to \`pnpm test:all\`, since it downloads a program: ${file}.`);
  },
};

export default defineConfig({
  test: {
    reporters: inCi
      ? ['default', sayScope, ['json', { outputFile: '.vitest/results.json' }], new NoEmptyProject()]
      : ['default', sayScope],
    allowOnly: !inCi,
    // Two files at a time on a machine of any size: the tests start real servers and hold them to deadlines. Groups run
    // one after another. The timeouts only end what hangs; no test waits for time.
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 60_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: testsOf('test'),
          exclude: [...elsewhere, ...onServers, ...onCore],
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'core',
          include: onCore,
          exclude: [...elsewhere, ...onServers],
          // The files of a worker share its modules, and with them one core (packages/core/testing).
          isolate: false,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: testsOf('test-d'),
            exclude: elsewhere,
            // Builds what the type tests import, so that they never pass on stale declarations.
            build: true,
            tsconfig: 'tsconfig.json',
            // Faults elsewhere are for the `types` task to report.
            ignoreSourceErrors: true,
          },
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'pg',
          include: testsOf('pg.test'),
          exclude: elsewhere,
          globalSetup: POSTGRES,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'redis',
          include: testsOf('redis.test'),
          exclude: elsewhere,
          globalSetup: REDIS,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...onProcesses,
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          exclude: [...elsewhere, ...onTime, ...alone, ...downloading],
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...onProcesses,
          name: 'time',
          include: onTime,
          exclude: elsewhere,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...onProcesses,
          name: 'alone',
          include: alone,
          exclude: elsewhere,
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
});
