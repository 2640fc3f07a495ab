// What the log of a core has of the agents that come and go.
import { waitFor } from '@hypercode/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';

// Of its own: where agents of other files have just joined, more of them are counted, and not named.
let core: TestCore;
beforeAll(async () => {
  core = await startTestCore();
}, START_TIMEOUT_MS);
afterAll(() => core?.close());

test('an agent is logged when it joins, is tripped, is reset and leaves', async () => {
  const { namespace } = core;
  const lines = () => core.log().filter((line) => line['namespace'] === namespace && line['agent'] === 'ada');
  const json = { name: 'ada', role: 'coder', version: '1.0.0' };
  await core.fetch('/v1/agents', { method: 'POST', json });
  const operate = (path: string, input: object) =>
    core.fetch(`/trpc/${path}`, { method: 'POST', json: { namespace, name: 'ada', ...input } });
  await operate('circuit.trip', { reason: 'it repeats itself' });
  await operate('circuit.reset', {});
  await core.fetch('/v1/agents/ada', { method: 'DELETE' });
  await waitFor(() => lines().length >= 4, { what: 'the lines' });
  expect(lines().map(({ msg, level, role }) => [msg, level, role])).toEqual([
    ['agent "ada" joined', 30, 'coder'],
    ['the circuit of agent "ada" opened', 30, 'coder'],
    ['the circuit of agent "ada" closed', 30, 'coder'],
    ['agent "ada" left', 30, 'coder'],
  ]);
  expect(lines()[1]).toMatchObject({ reason: expect.stringContaining('it repeats itself') });
});
