// Builds `dist/swarm.js`: the command line and all that it stands on in one file.
import { build } from 'esbuild';
import { chmodSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

await build({
  entryPoints: [path('src/bin.ts')],
  outfile: path('dist/swarm.js'),
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
  ],
  banner: {
    // Packages of CommonJS ask for their parts of Node.js by `require`.
    js: "#!/usr/bin/env node\nimport { createRequire as swarmRequire } from 'node:module'; const require = swarmRequire(import.meta.url);",
  },
  // Found beside the package, if it is installed: see `swarm up`.
  external: ['@hypercode/core-runtime'],
  logLevel: 'warning',
});
chmodSync(path('dist/swarm.js'), 0o755);
