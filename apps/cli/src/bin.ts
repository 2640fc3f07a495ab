// The first lines of `swarm`: the version at once, everything else with compiled code that Node.js keeps between runs.
import { enableCompileCache } from 'node:module';
import { version } from './version.ts';

if (['--version', '-V'].includes(process.argv[2] ?? '') && process.argv.length === 3) {
  process.stdout.write(`${version}\n`);
} else {
  enableCompileCache();
  await import('./main.ts');
}
