// The commands of agents, on a real core.
import {
  call,
  accepted,
  registration,
  sharedCore,
  START_TIMEOUT_MS,
  type TestCore,
} from '@hypercode/core-runtime/testing';
import { beforeAll, expect, test } from 'vitest';
import { runSwarm, type SwarmRunOptions } from './run-swarm.ts';

let core: TestCore;
let asAdmin: SwarmRunOptions;

beforeAll(async () => {
  core = await sharedCore();
  asAdmin = { core: { url: core.url, token: core.adminToken, namespace: core.namespace } };
  await register('ada', { description: 'Writes\u001b[2J\u202Eabc', labels: { team: 'a' }, capabilities: ['write'] });
  await register('adam', { role: 'reviewer' });
}, START_TIMEOUT_MS);

const register = async (name: string, fields: Parameters<typeof registration>[1] = {}) =>
  accepted(await call(core, 'registry.register', { ...registration(name, fields), namespace: core.namespace }));

test('agents are listed as a table, and as one object a line', async () => {
  const table = await runSwarm('agents ls', { ...asAdmin, columns: 80, env: { NO_COLOR: '1' } });
  expect(table).toMatchObject({ exitCode: 0, stderr: '' });
  const lines = table.stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^NAME +ROLE +HEALTH/);
  expect(lines[1]).toMatch(/^ada +worker/);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  const objects = (await runSwarm('agents ls --role reviewer --json', asAdmin)).objects();
  expect(objects).toMatchObject([{ name: 'adam', role: 'reviewer', status: { circuit: 'closed' } }]);
});

test('an empty list names what was searched', async () => {
  const { exitCode, stdout, stderr } = await runSwarm('agents ls needle --label team=b', asAdmin);
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
  expect(stderr).toBe(`No agents with label team=b, the words "needle" in the namespace ${core.namespace}.\n`);
});

test('a page that was cut names how to go on', async () => {
  const first = await runSwarm('agents ls --limit 1 --json', asAdmin);
  expect(first.objects()).toHaveLength(1);
  expect(first.stderr).toContain('--all');
  const all = await runSwarm('agents ls --limit 1 --all --json', asAdmin);
  expect(all.objects().map(({ name }) => name)).toEqual(['ada', 'adam']);
  expect(all.stderr).toBe('');
});

test('control and bidi characters of an agent never reach the terminal', async () => {
  const { stdout } = await runSwarm('agents get ada', asAdmin);
  expect(stdout).toContain(String.raw`Writes\u001b[2J\u202eabc`);
  const json = await runSwarm('agents get ada --json', asAdmin);
  expect(json.stdout).not.toContain('\u202E');
  expect(json.objects()).toMatchObject([{ description: 'Writes\u001b[2J\u202Eabc' }]);
});

test('a name may be shortened to what is unique', async () => {
  expect((await runSwarm('agents get adam --json', asAdmin)).objects()).toMatchObject([{ name: 'adam' }]);
  const ambiguous = await runSwarm('agents get a', asAdmin);
  expect(ambiguous.exitCode).toBe(2);
  expect(ambiguous.stderr).toContain('"a" is the beginning of 2 agents: ada, adam');
  const unknown = await runSwarm('agents get eve', asAdmin);
  expect(unknown.exitCode).toBe(1);
  expect(unknown.stderr).toContain('no agent is called "eve"');
});

test('whoami shows the token, and what it may do', async () => {
  const { stdout } = await runSwarm('whoami', { core: { url: core.url, token: core.viewerToken } });
  expect(stdout).toContain('viewer');
  expect(stdout).toContain('registry.query');
});

test('a wrong token, no core and wrong usage have exit codes of their own, and one clear line', async () => {
  const wrong = await runSwarm('agents ls', { core: { url: core.url, token: 'wrong' } });
  expect(wrong.exitCode).toBe(4);
  expect(wrong.stderr).toMatch(/^swarm: .*\n {7}the token is from SWARM_TOKEN/);
  const away = await runSwarm('agents ls', { core: { url: 'http://127.0.0.1:1', token: 'any' } });
  expect(away.exitCode).toBe(3);
  expect(away.stderr).toContain('Is it running?');
  const none = await runSwarm('agents ls');
  expect(none.exitCode).toBe(4);
  const usage = await runSwarm('agents ls --limit many', asAdmin);
  expect(usage.exitCode).toBe(2);
  const mistyped = await runSwarm('agent ls', asAdmin);
  expect(mistyped).toMatchObject({ exitCode: 2, stdout: '' });
  expect(mistyped.stderr).toContain('Did you mean agents?');
});

test('a refusal of a token names the namespace of the token', async () => {
  const agent = await register('eve');
  const { exitCode, stderr } = await runSwarm('agents ls -n elsewhere', {
    core: { url: core.url, token: agent.token ?? '' },
  });
  expect(exitCode).toBe(4);
  expect(stderr).toContain(`give --namespace ${core.namespace}`);
});

test('an agent with an open circuit publishes nothing, and reads when it may and who can close it', async () => {
  const agent = await register('ida');
  const asAgent: SwarmRunOptions = { core: { url: core.url, token: agent.token ?? '', namespace: core.namespace } };
  const publish = () => runSwarm(['events', 'pub', 'task.ida.progress', '{"n":1}'], asAgent);
  expect(await publish()).toMatchObject({ exitCode: 0 });
  await call(core, 'circuit.trip', { namespace: core.namespace, name: 'ida', reason: 'it repeats itself' });
  const refused = await publish();
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toMatch(
    /^swarm: the agent's circuit is open: it repeats itself\n {7}nothing was published: try again in \d+ s; .* swarm circuit reset ida\n$/,
  );
  await call(core, 'circuit.reset', { namespace: core.namespace, name: 'ida' });
  expect(await publish()).toMatchObject({ exitCode: 0 });
});
