// Builds the command line: `dist/main.js`, which has all that it stands on in one file, and `dist/swarm.js`, which starts it.
import { build, type BuildOptions, type Plugin } from 'esbuild';
import { chmodSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/**
 * An `import` of `node:http` reads all that it exports, which loads the whole of fetch: a fifth of the time that `swarm agents ls` takes
 * to start. `require` reads nothing.
 */
const requiredHttp: Plugin = {
  name: 'required-http',
  setup(plugin) {
    plugin.onResolve({ filter: /^node:https?$/ }, ({ path: name, kind }) =>
      kind === 'require-call' ? { path: name, external: true } : { path: name, namespace: 'required' },
    );
    plugin.onLoad({ filter: /.*/, namespace: 'required' }, ({ path: name }) => ({
      contents: `module.exports = require(${JSON.stringify(name)});`,
    }));
  },
};

/** The first `Intl.Segmenter` of a process loads rules for a tenth of that time, which text in ASCII does not need. */
const lateSegmenter: Plugin = {
  name: 'late-segmenter',
  setup: (plugin) =>
    plugin.onLoad({ filter: /[\\/](?:string-width|slice-ansi)[\\/][\w-]+\.js$/ }, ({ path: file }) => ({
      contents: readFileSync(file, 'utf8').replace(
        /^const (\w+) = new Intl\.Segmenter\(\);$/m,
        'let made; const $1 = { segment: (text) => (made ??= new Intl.Segmenter()).segment(text) };',
      ),
    })),
};

/** What both files have in common. */
const SHARED = {
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node22.12',
  // What is imported in a function is set up when the function is called, although it is in the same file.
  splitting: false,
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  // React as it runs in production, and Ink without its developer tools, which need a package that is not installed.
  define: { 'process.env.NODE_ENV': '"production"' },
  plugins: [
    {
      name: 'no-developer-tools',
      setup: (plugin) => plugin.onLoad({ filter: /[\\/]ink[\\/]build[\\/]devtools\.js$/ }, () => ({ contents: '' })),
    },
    requiredHttp,
    lateSegmenter,
  ],
  banner: {
    // Packages of CommonJS ask for their parts of Node.js by `require`.
    js: "import { createRequire as swarmRequire } from 'node:module'; const require = swarmRequire(import.meta.url);",
  },
  logLevel: 'warning',
} satisfies BuildOptions;

await build({ ...SHARED, entryPoints: [path('src/main.ts')], outfile: path('dist/main.js') });
await build({
  ...SHARED,
  entryPoints: [path('src/bin.ts')],
  outfile: path('dist/swarm.js'),
  banner: {},
  // Its only import of ours is the other file.
  plugins: [
    {
      name: 'main-beside',
      setup: (plugin) =>
        plugin.onResolve({ filter: /main\.ts$/, namespace: 'file' }, ({ kind }) =>
          kind === 'entry-point' ? null : { path: './main.js', external: true },
        ),
    },
  ],
});
chmodSync(path('dist/swarm.js'), 0o755);
