import { systemClock } from '@hypercode/clock';
import { expect, test } from 'vitest';
import { OUTPUT_LIMIT, runCommand, type RunOptions } from './run-command.ts';

const ENV = { PATH: process.env['PATH'] ?? '' }; // oxlint-disable-line node/no-process-env -- `sh` finds its programs by it.

async function run(command: string, more: Partial<RunOptions> = {}) {
  const printed = { stdout: '', stderr: '' };
  const end = await runCommand({
    ...{ command, input: '{}\n', env: ENV, clock: systemClock, timeoutMs: undefined },
    signal: new AbortController().signal,
    write: (stream, chunk) => void (printed[stream] += chunk.toString()),
    ...more,
  });
  return { ...end, ...printed };
}

test('a run reads its input, prints, and ends with its exit code', async () => {
  expect(await run('cat; echo oops >&2; exit 3', { input: 'hello\n' })).toMatchObject({
    ...{ exitCode: 3, failure: 'exit 3', stdout: 'hello\n', stderr: 'oops\n', isCut: false },
  });
  expect(await run('true')).toMatchObject({ exitCode: 0, failure: null });
});

test('a run that does not read its input succeeds', async () => {
  expect(await run('exec 0<&-; true', { input: 'x'.repeat(1_000_000) })).toMatchObject({ failure: null });
});

test('the output is passed on up to its limit, and the run goes on', async () => {
  const end = await run(`head -c ${OUTPUT_LIMIT + 1} /dev/zero | tr '\\0' x; echo end >&2`);
  expect(end).toMatchObject({ failure: null, isCut: true, stderr: '' });
  expect(end.stdout).toHaveLength(OUTPUT_LIMIT);
});

test('a run that a signal ends has failed', async () => {
  expect(await run('kill -9 $$')).toMatchObject({ exitCode: null, failure: 'it was ended by SIGKILL' });
});

test('what a run has left running does not keep it open', async () => {
  expect(await run('sleep 5 & echo done')).toMatchObject({ failure: null, stdout: 'done\n' });
});

test('a run that ignores SIGTERM is killed after its time', async () => {
  expect(await run(`trap '' TERM; sleep 60`, { timeoutMs: 100 })).toMatchObject({
    failure: 'it ran for longer than 100 ms',
  });
});

test('a run that is not wanted any more is ended, also before it has begun', async () => {
  expect(await run('sleep 60', { signal: AbortSignal.abort() })).toMatchObject({ failure: 'listen was ended' });
});
