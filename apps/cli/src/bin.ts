// The first lines of `swarm`: the version at once, everything else by what only then is set up.
import { version } from './version.ts';

if (['--version', '-V'].includes(process.argv[2] ?? '') && process.argv.length === 3) {
  process.stdout.write(`${version}\n`);
} else {
  await import('./main.ts');
}
