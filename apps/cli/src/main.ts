// The entry point of `swarm`: what the process is, one run of the command line, and its exit code.
import { systemClock } from '@hypercode/clock';
import { commands, groups } from './commands/table.ts';
import { runCommandLine } from './program/run.ts';
import { version } from './version.ts';

const interruption = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(name, () => {
    // The second one does not wait for the command.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}
// The reader of stdout has gone, as `head` does: there is nothing left to say.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
}

const { stdin, stdout, stderr, env } = process;
const surroundings = {
  stdin,
  stdout,
  stderr,
  env,
  cwd: process.cwd(),
  clock: systemClock,
  signal: interruption.signal,
};
const exitCode = await runCommandLine(process.argv.slice(2), surroundings, { commands, groups, version });
// What is written must be out before the process ends; nothing else may keep it.
await Promise.all([stdout, stderr].map((stream) => new Promise((resolve) => stream.write('', resolve))));
process.exit(exitCode);
