// The published packages outside of the workspace: installed from tarballs, compiled, run and bundled.
import { gzipSync } from 'node:zlib';
import { type SpawnedCore, type TemporaryFolder } from '@hypercode/testkit';
import { build, type Rolldown } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';
import { type Compiler, FOR_CLIENTS, FOR_TESTS, NpmProject, packPackages, type Resolution } from './npm-project.ts';

/** Compressed, in bytes: what a page may load of the client. */
const BROWSER_LIMIT = 45 * 1024;
/** A first install downloads all that the project needs. */
const INSTALL_LIMIT_MS = 300_000;

// Each night everything, on every push the combination that is furthest from the workspace.
const isWhole = process.env['SWARM_TEST_ALL'] === '1';
const NEST = ['@nestjs/common@^12', '@nestjs/core@^12', 'reflect-metadata', 'rxjs'];
const ZOD = isWhole ? ['4.0.0', '~4.3.0', 'latest'] : ['4.0.0'];
const COMPILATIONS: [Compiler, Resolution][] = isWhole
  ? [
      ['5.9', 'nodenext'],
      ['5.9', 'bundler'],
      ['7', 'nodenext'],
      ['7', 'bundler'],
    ]
  : [['5.9', 'nodenext']];

let tarballs: TemporaryFolder;
let core: SpawnedCore;
/** Of `@hypercode/testing`. Its packages are installed while those of the others are: an install mostly waits. */
let testing: Promise<NpmProject>;

beforeAll(async () => {
  const packages = [...new Set([...FOR_CLIENTS.packages, ...FOR_TESTS.packages])];
  [tarballs, core] = await Promise.all([packPackages(packages), spawnCore()]);
  testing = NpmProject.create(tarballs.path, FOR_TESTS, { program: 'swarm-of-a-test', uses: [], compiledBy: ['5.9'] });
  // The test that needs it reports why it failed.
  testing.catch(() => undefined);
}, INSTALL_LIMIT_MS);

afterAll(async () => {
  await Promise.all([
    core?.close(),
    tarballs?.remove(),
    testing?.then((project) => project.remove()).catch(() => undefined),
  ]);
});

describe.each(ZOD)('an npm project with zod %s', (zod) => {
  let project: NpmProject;

  beforeAll(async () => {
    project = await NpmProject.create(tarballs.path, FOR_CLIENTS, {
      program: 'program',
      uses: [`zod@${zod}`, ...NEST],
      compiledBy: [...new Set(COMPILATIONS.map(([compiler]) => compiler))],
    });
  }, INSTALL_LIMIT_MS);

  afterAll(() => project?.remove());

  test('has one copy of zod', async () => {
    expect(await project.zodVersions()).toHaveLength(1);
  });

  test.each(COMPILATIONS)('compiles with TypeScript %s and moduleResolution %s', async (compiler, resolution) => {
    await project.compile(compiler, resolution);
  });

  test.each([
    ['oldest', /^v22\.12\./],
    ['newest', /^v24\./],
  ] as const)('runs a typed program on the %s Node.js', async (node, version) => {
    const ran = await project.runProgram(node, [core.url, core.adminToken, core.joinToken]);
    expect(ran.node).toMatch(version);
    expect(ran.printed).toEqual({
      agents: ['ada'],
      received: { ok: true, tookMs: 0 },
      isWhole: { ok: true, tookMs: 0 },
      watched: 'snapshot',
      health: 200,
      misuse: 'INVALID_INPUT',
    });
  });

  test('bundles the whole client for browsers within 45 KB and without zod', async () => {
    const result = await build({
      root: project.path,
      configFile: false,
      logLevel: 'silent',
      build: { write: false, rolldownOptions: { input: await project.browserEntry() } },
    });
    const chunks = (Array.isArray(result) ? result : [result]).flatMap((one) => ('output' in one ? one.output : []));
    const code = chunks.filter((chunk): chunk is Rolldown.OutputChunk => chunk.type === 'chunk');
    const modules = code.flatMap((chunk) => Object.keys(chunk.modules));
    expect(modules.some((path) => path.includes('@hypercode/client/dist'))).toBe(true);
    expect(modules.filter((path) => /node_modules\/zod\/|transport-node|serve-health/.test(path))).toEqual([]);
    expect(code.reduce((bytes, chunk) => bytes + gzipSync(chunk.code).length, 0)).toBeLessThan(BROWSER_LIMIT);
  });
});

describe('an npm project with @hypercode/testing', () => {
  test(
    'starts a swarm in memory on the oldest Node.js',
    async () => {
      const project = await testing;
      await project.compile('5.9', 'nodenext');
      const ran = await project.runProgram('oldest', []);
      expect(ran.printed).toEqual({ agents: ['ada'], received: { text: 'hello' } });
    },
    INSTALL_LIMIT_MS,
  );
});
