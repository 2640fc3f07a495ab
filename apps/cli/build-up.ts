// Builds `dist/up`: what `swarm up` runs, with nothing to install besides. A core, the Architect, the files of the embedded database,
// and the page (built if it is older than its sources).
import { build, type Plugin } from 'esbuild';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import manifest from './package.json' with { type: 'json' };

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const out = path('dist/up');

/** A core reads its version from its manifest, which is not beside a bundle. All packages have the same version. */
const versionOfCore: Plugin = {
  name: 'version-of-core',
  setup: (plugin) =>
    plugin.onLoad({ filter: /[\\/]packages[\\/]core[\\/]src[\\/]version\.ts$/ }, () => ({
      contents: `export const VERSION = ${JSON.stringify(manifest.version)};`,
    })),
};

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: {
    core: path('../core/src/main.ts'),
    architect: path('../architect/src/main.ts'),
    // Found by this name, beside the core.
    'pglite-worker': path('../../packages/stores/src/database/pglite-worker.ts'),
  },
  outdir: out,
  bundle: true,
  // What the programs share is there once.
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node24',
  minifySyntax: true,
  minifyWhitespace: true,
  // NestJS shows the names of classes in its messages.
  keepNames: true,
  legalComments: 'linked',
  define: { 'process.env.NODE_ENV': '"production"' },
  banner: {
    // Packages of CommonJS ask for their parts of Node.js by `require`.
    js: "import { createRequire as swarmRequire } from 'node:module'; const require = swarmRequire(import.meta.url);",
  },
  // NestJS loads these when an application asks for them, which the Architect does not.
  external: [
    '@fastify/multipart',
    '@fastify/view',
    '@nestjs/microservices',
    '@nestjs/platform-express',
    '@nestjs/websockets',
    'class-transformer',
    'class-validator',
  ],
  plugins: [versionOfCore],
  logLevel: 'warning',
});

const pglite = dirname(createRequire(path('../../packages/stores/package.json')).resolve('@electric-sql/pglite'));
for (const file of ['pglite.wasm', 'pglite.data', 'initdb.wasm']) cpSync(join(pglite, file), join(out, file));
cpSync(path('../../packages/bus/src/redis/lua'), join(out, 'lua'), { recursive: true });
execFileSync(process.execPath, [path('../dashboard/build-when-changed.ts')], { stdio: 'inherit' });
cpSync(path('../dashboard/dist'), join(out, 'page'), { recursive: true });
if (!existsSync(join(out, 'page/index.html'))) throw new Error('the page has no index.html');
