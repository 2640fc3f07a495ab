// Writes the session in README.md again.
import { startTestCore } from '@hypercode/core-runtime/testing';
import { readFileSync, writeFileSync } from 'node:fs';
import { README, recordSession, SESSION } from './record-session.ts';

const core = await startTestCore();
const session = await recordSession(core);
await core.close();
writeFileSync(
  README,
  readFileSync(README, 'utf8').replace(SESSION, () => session),
);
