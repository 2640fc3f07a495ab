// The completion scripts in their shells: what Tab makes of a word, with the names that a real core has.
import { registration, startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { BUILT_CLI, temporaryFolder } from '@hypercode/testkit';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { emptyEnv } from './swarm-process.ts';
import { TestTerminal } from './terminal.ts';

const folder = temporaryFolder('cli-completion');
let core: TestCore;
let env: Record<string, string>;

beforeAll(async () => {
  core = await startTestCore();
  await core.fetch('/v1/agents', { method: 'POST', json: registration('lovelace') });
  writeFileSync(join(folder.path, 'swarm'), `#!/bin/sh\nexec "${process.execPath}" "${BUILT_CLI}" "$@"\n`, {
    mode: 0o755,
  });
  env = emptyEnv({ SWARM_URL: core.url, SWARM_TOKEN: core.adminToken, HOME: folder.path });
  env['PATH'] = `${folder.path}:${env['PATH']}`;
}, START_TIMEOUT_MS);
afterAll(async () => {
  await core.close();
  await folder.remove();
});

const isInstalled = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0;

/** How each is started without settings of the machine, and takes the script. */
const SHELLS = {
  bash: { words: ['--norc', '--noprofile', '-i'], load: 'eval "$(swarm completion bash)"' },
  zsh: { words: ['-f', '-i'], load: 'autoload -U compinit && compinit -D -u && eval "$(swarm completion zsh)"' },
  fish: { words: ['--no-config', '-i'], load: 'swarm completion fish | source' },
} as const;

test('bash is installed, so that one script is always tried', () => {
  expect(isInstalled('bash')).toBe(true);
});

for (const [shell, { words, load }] of Object.entries(SHELLS)) {
  test.skipIf(!isInstalled(shell))(`Tab in ${shell} completes commands and the names of agents`, async () => {
    using terminal = new TestTerminal(shell, words, { env });
    terminal.type(`${load} && echo loa''ded\r`);
    await terminal.shows(/^loaded/m);
    terminal.type('swarm agents hist\t');
    await terminal.shows(/swarm agents history/);
    terminal.type('love\t');
    await terminal.shows(/swarm agents history lovelace/);
  });
}
