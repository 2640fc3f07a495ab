#!/usr/bin/env node
// The first lines of `swarm`: the version at once, everything else from the file beside this one, which Node.js compiles once and then
// takes from its cache.
import { enableCompileCache } from 'node:module';
import { version } from './version.ts';

if (['--version', '-V'].includes(process.argv[2] ?? '') && process.argv.length === 3) {
  process.stdout.write(`${version}\n`);
} else {
  enableCompileCache();
  await import('./main.ts');
}
