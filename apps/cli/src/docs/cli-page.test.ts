// docs/cli.md is what the command table says.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commands } from '../commands/table.ts';
import { cliPage } from './cli-page.ts';

test('docs/cli.md is up to date', () => {
  const written = readFileSync(new URL('../../../../docs/cli.md', import.meta.url), 'utf8');
  expect(written).toBe(cliPage(commands));
});
