// Where the workspace begins, for knip: all that no entry reaches is dead. Scripts, configs and test setups it finds itself.
import type { KnipConfig } from 'knip';

const config: KnipConfig = {
  workspaces: {
    // A package begins at its index, an app at the script that starts it.
    'packages/*': {},
    'apps/*': {},
    bench: {},
    examples: { entry: ['**/*.ts'] },
  },
  ignoreDependencies: [
    // Its binary is the Node.js that every script runs on; nothing imports it.
    'node',
  ],
  // The name of a type beside its only use may be exported for readers of the signature that it is part of.
  ignoreExportsUsedInFile: { interface: true, type: true },
  rules: {
    // One schema may stand for two concepts: a Namespace is a Name, and may come to differ.
    duplicates: 'off',
  },
};

export default config;
