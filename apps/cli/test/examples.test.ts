// Every example of every command runs on a real core, in the order of the table, and ends as it says.
import { START_TIMEOUT_MS } from '@hypercode/core-runtime/testing';
import { waitFor } from '@hypercode/testkit';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { commands } from '../src/commands/table.ts';
import { deadLetter, type ExampleSwarm, startExampleSwarm } from './example-swarm.ts';
import { EXIT } from '../src/program/exit-codes.ts';
import { runSwarm, splitWords } from './run-swarm.ts';

let swarm: ExampleSwarm;

beforeAll(async () => {
  swarm = await startExampleSwarm();
}, START_TIMEOUT_MS);
afterAll(() => swarm.close());

/** e2e/cli/up.test.ts runs what starts a core. */
const examples = commands
  .filter(({ path }) => path[0] !== 'up')
  .flatMap((one) => one.examples.map((example) => [example.run, example, one] as const));

/** What an example needs that an earlier one has used up. */
const BEFORE: Readonly<Record<string, () => Promise<unknown>>> = {
  'dead discard': () => deadLetter(swarm.client, 'orders'),
  'dead redrive': () => deadLetter(swarm.client, 'orders'),
};

test.each(examples)('%s', async (line, { ends = 0, follows = false }, { path }) => {
  await BEFORE[path.join(' ')]?.();
  const { core, folder } = swarm;
  const controller = new AbortController();
  const isContext = path[0] === 'context';
  const running = runSwarm(splitWords(line).slice(1), {
    ...(isContext ? {} : { core: { url: core.url, token: core.adminToken } }),
    env: { HOME: folder, XDG_CONFIG_HOME: join(folder, 'config') },
    cwd: folder,
    signal: controller.signal,
  });
  if (follows) {
    await waitFor(() => core.openStreams() > 0, { what: 'the stream of the command' });
    controller.abort();
  }
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: follows ? EXIT.interrupted : ends });
});
