// Where the workspace begins, for knip: all that no entry reaches is dead. Scripts, configs and test setups it finds itself.
import type { KnipConfig } from 'knip';

const config: KnipConfig = {
  workspaces: {
    // Started by images and their build, and by CI.
    // The samples of README.md are compiled as modules of the workspace's root.
    '.': { entry: ['docker/*.mjs', '.ci/*.mjs'], ignoreDependencies: ['@hypercode/client'] },
    // A package begins at its index, an app at the script that starts it; some programs are started by their path besides.
    'packages/*': {},
    'apps/core': {
      entry: ['src/config/write-docs.ts'],
      // Named in pino's options as a transport.
      ignoreDependencies: ['pino-pretty'],
    },
    // Bundled by its build, from the entry that the build names.
    'apps/cli': { entry: ['src/bin.ts', 'src/docs/write-docs.ts', 'test/write-session.ts'] },
    'apps/dashboard': { entry: ['build-when-changed.ts'] },
    // Named in pino's options as a transport.
    'apps/architect': { entry: ['src/config/write-docs.ts'], ignoreDependencies: ['pino-pretty'] },
    bench: { entry: ['src/servers/*.ts', 'src/watchers/watcher-process.ts'] },
    // Copied into projects outside of the workspace; run by hand.
    e2e: {
      entry: ['packages/fixture/*.ts', 'dashboard/write-pictures.ts'],
      // Its program is found by its manifest, and run.
      ignoreDependencies: ['@modelcontextprotocol/conformance'],
    },
    examples: { entry: ['**/*.ts'] },
  },
  // A migration is handed over as a whole module, whose `up` nobody names.
  ignoreIssues: { 'packages/*/src/**/migrations/*.ts': ['exports'] },
  // The name of a type beside its only use may be exported for readers of the signature that it is part of.
  ignoreExportsUsedInFile: { interface: true, type: true },
  rules: {
    // One schema may stand for two concepts: a Namespace is a Name, and may come to differ.
    duplicates: 'off',
  },
};

export default config;
