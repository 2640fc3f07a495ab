// The session in README.md is what the commands print. `node apps/cli/test/write-session.ts` writes it again.
import { startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { README, recordSession, SESSION } from './record-session.ts';

let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
}, START_TIMEOUT_MS);
afterAll(() => core.close());

test('the session in README.md is what the commands print', async () => {
  expect(SESSION.exec(readFileSync(README, 'utf8'))?.[0]).toBe(await recordSession(core));
});
