// What operators do: each command on a real core, what it asks, and what it refuses.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { deadLetter } from './example-swarm.ts';
import { runSwarm, type SwarmRun, type SwarmRunOptions } from './run-swarm.ts';

let core: TestCore;
let client: SwarmClient;
let folder: string;
let asAdmin: SwarmRunOptions;

beforeAll(async () => {
  core = await sharedCore();
  client = createSwarmClient({ url: core.url, token: core.adminToken, namespace: core.namespace, logger: false });
  folder = await mkdtemp(join(tmpdir(), 'swarm-steering-'));
  asAdmin = {
    core: { url: core.url, token: core.adminToken, namespace: core.namespace },
    cwd: folder,
    env: { XDG_CONFIG_HOME: join(folder, 'config') },
  };
  await client.registry.register({
    name: 'ada',
    role: 'worker',
    version: '1.0.0',
    topics: { publishes: ['secret.>'] },
  });
  await client.bus.claim({ group: 'orders', topics: ['orders.>'], maxDeliveries: 1, waitMs: 0 });
}, START_TIMEOUT_MS);
afterAll(async () => {
  await client.close();
  await rm(folder, { recursive: true });
});

const admin = (words: string): Promise<SwarmRun> => runSwarm(words, asAdmin);
const viewer = (words: string): Promise<SwarmRun> =>
  runSwarm(words, { ...asAdmin, core: { url: core.url, token: core.viewerToken, namespace: core.namespace } });

test.each(['agents rm ada', 'groups rm orders', 'groups seek orders latest', 'dead discard orders --all'])(
  '%s asks first, and without a terminal it changes nothing and names --yes',
  async (words) => {
    const { exitCode, stdout, stderr } = await admin(words);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('--yes');
  },
);

test.each([
  'agents register eve --role worker --json',
  'circuit trip ada',
  'circuit reset ada',
  'groups pause orders',
  'dead redrive orders --all',
  'policy diff -f policy.json',
  'tokens ls',
  'tokens create viewer x',
  'audit ls',
])('%s is not allowed with the token of a viewer', async (words) => {
  await writeFile(join(folder, 'policy.json'), JSON.stringify(await client.policy.get({})));
  const { exitCode, stdout, stderr } = await viewer(words);
  expect({ exitCode, stdout, stderr }).toEqual({ exitCode: 4, stdout: '', stderr: expect.stringContaining('viewer') });
});

test('a group is paused, resumed, changed, moved and deleted', async () => {
  await client.bus.claim({ group: 'trial', topics: ['trial.>'], waitMs: 0 });
  expect((await admin('groups pause trial --reason fire')).stdout).toBe('group trial is paused\n');
  expect((await admin('groups get trial')).stdout).toMatch(/paused by \/operators\/admin .*: fire/);
  expect((await admin('groups pause tri')).stdout).toBe('group trial was paused already\n');
  expect((await admin('groups resume trial')).stdout).toBe('group trial is active\n');
  expect((await admin('groups update trial --ack-deadline 2m --max-deliveries 9')).stdout).toContain('version 2');
  expect((await admin('groups update trial')).exitCode).toBe(2);
  expect((await admin('groups seek trial earliest --yes --json')).objects()).toMatchObject([{ group: 'trial' }]);
  expect((await admin('groups rm trial --yes')).stdout).toBe('deleted group trial\n');
  expect((await admin('groups get trial')).exitCode).toBe(1);
});

test('dead letters are listed with their reason, delivered again, and discarded', async () => {
  await deadLetter(client, 'orders');
  const list = await admin('dead ls orders');
  expect(list.stdout).toContain('no paper');
  expect((await admin('dead redrive orders --all --json')).objects()).toEqual([{ count: 1 }]);
  expect((await admin('dead ls orders')).stderr).toBe('No dead letters in the group orders.\n');
  await deadLetter(client, 'orders');
  expect((await admin('dead discard orders')).exitCode).toBe(2);
  expect((await admin('dead discard orders --all --yes')).stdout).toMatch(/^\d+ dead letters? of orders discarded/);
});

test('dead letters of one reason are redriven or discarded, and the others stay', async () => {
  await client.bus.claim({ group: 'presses', topics: ['orders.>'], maxDeliveries: 1, waitMs: 0 });
  for (const reason of ['no paper', 'no ink', 'no paper']) await deadLetter(client, 'presses', reason);
  expect((await admin('dead redrive presses')).exitCode).toBe(2);
  const both = await runSwarm(['dead', 'redrive', 'presses', '--all', '--reason', 'no ink'], asAdmin);
  expect([both.exitCode, both.stderr]).toEqual([2, expect.stringContaining('give one of')]);
  const none = await runSwarm('dead redrive presses --no-reason', asAdmin);
  expect(none.stdout).toBe('0 dead letters of presses will be delivered again\n');
  const redriven = await runSwarm(['dead', 'redrive', 'presses', '--reason', 'no paper'], asAdmin);
  expect(redriven.stdout).toBe('2 dead letters of presses will be delivered again\n');
  const discarded = await runSwarm(['dead', 'discard', 'presses', '--reason', 'no ink', '--yes'], asAdmin);
  expect(discarded.stdout).toBe('1 dead letter of presses discarded\n');
  expect((await admin('dead ls presses')).stderr).toBe('No dead letters in the group presses.\n');
  await client.groups.delete({ group: 'presses' });
});

test('a circuit is opened and closed', async () => {
  expect((await admin('circuit trip ada --reason loud')).stdout).toContain('the circuit of ada is open');
  expect((await admin('agents ls --circuit open --json')).objects()).toMatchObject([{ name: 'ada' }]);
  expect((await admin('circuit reset ada')).stdout).toBe('the circuit of ada is closed\n');
  expect((await admin('circuit reset nobody')).exitCode).toBe(1);
});

test('doctor names what is wrong, what to do, and ends with 1', async () => {
  await deadLetter(client, 'orders');
  const { exitCode, stdout } = await admin('doctor');
  expect(stdout).toMatch(/✓ core http:\/\/127\.0\.0\.1:\d+, namespace test-/);
  expect(stdout).toMatch(/✗ group orders has \d+ dead letters?\n {2}→ swarm dead ls orders/);
  expect(stdout).toContain('✗ agent ada (worker) declares topics that it may not use: publish secret.>');
  expect(exitCode).toBe(1);
  const limited = await runSwarm('doctor --json', {
    core: { url: core.url, token: core.joinToken, namespace: core.namespace },
  });
  expect(limited.exitCode).toBe(0);
  expect(limited.objects()).toContainEqual(
    expect.objectContaining({ level: 'note', what: expect.stringContaining('not checked') }),
  );
});

test('status shows the swarm at a glance', async () => {
  const { exitCode, stdout } = await admin('status --traffic');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^agents +1: /m);
  expect((await admin('status --json')).objects()).toMatchObject([{ namespace: { namespace: core.namespace } }]);
});

test('a policy is compared, explained and replaced, and a change of another person is not lost', async () => {
  const policy = (await admin('policy get --json')).objects()[0] as { roles: object; version: number };
  const rules = { publish: ['secret.>'], subscribe: [] };
  await writeFile(
    join(folder, 'policy.json'),
    JSON.stringify({ ...policy, roles: { ...policy.roles, worker: rules } }),
  );
  expect((await admin('policy explain ada publish secret.plan')).exitCode).toBe(1);
  const diff = await admin('policy diff -f policy.json');
  expect(diff.exitCode).toBe(1);
  expect(diff.stdout).toMatch(/^\+ .*"secret\.>"/m);
  const asked = await admin('policy apply -f policy.json');
  expect(asked.exitCode).toBe(2);
  expect((await admin('policy apply -f policy.json --yes')).stdout).toContain('The policy has version 1.');
  expect(await admin('policy diff -f policy.json')).toMatchObject({ exitCode: 0, stderr: 'No differences.\n' });
  expect((await admin('policy explain ada publish secret.plan')).stdout).toMatch(/^yes: /);
  await writeFile(join(folder, 'policy.json'), JSON.stringify(policy));
  const stale = await admin('policy apply -f policy.json --yes');
  expect(stale.exitCode).toBe(1);
  await writeFile(join(folder, 'policy.json'), '{"roles": {');
  expect((await admin('policy apply -f policy.json --yes')).exitCode).toBe(2);
});

test('a token is made, written to a file that only its owner reads, listed and revoked', async () => {
  expect((await admin('tokens create viewer wall --token-out wall.token')).exitCode).toBe(0);
  const path = join(folder, 'wall.token');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const secret = (await readFile(path, 'utf8')).trim();
  const list = await admin('tokens ls');
  expect(list.stdout).toContain('wall');
  expect(list.stdout).not.toContain(secret);
  expect((await admin('tokens revoke wall --yes')).exitCode).toBe(0);
  expect((await admin('tokens revoke wall --yes')).exitCode).toBe(1);
});

test('the audit is checked, against a hash that was noted', async () => {
  await admin('circuit trip ada --reason audit');
  await admin('circuit reset ada');
  const [checked] = (await admin('audit verify --json')).objects() as { head: { hash: string } }[];
  const noted = checked?.head.hash ?? '';
  expect((await admin(`audit verify --head ${noted}`)).stdout).toMatch(/^as it was written: /);
  expect((await admin(`audit verify --head ${'0'.repeat(64)}`)).exitCode).toBe(1);
  expect((await admin('audit ls --action circuit.trip')).stdout).toContain('agents/ada');
});

test('the history of an agent has its changes, newest first', async () => {
  const changes = (await admin('agents history ada --all --json')).objects();
  expect(changes.at(-1)).toMatchObject({ change: 'registered' });
});

test('an agent is registered with its token in a file, and removed', async () => {
  expect((await admin('agents register eve --role worker')).exitCode).toBe(2);
  const made = await admin('agents register eve --role worker --capability write --token-out eve.token');
  expect(made.stdout).toContain('created agent eve');
  const token = (await readFile(join(folder, 'eve.token'), 'utf8')).trim();
  expect((await runSwarm('whoami', { core: { url: core.url, token } })).stdout).toContain('agent "eve", role worker');
  expect((await admin('agents rm eve --yes')).stdout).toBe('removed agent eve\n');
  expect((await runSwarm('whoami', { core: { url: core.url, token } })).exitCode).toBe(4);
});

test('contexts are kept in a file of mode 0600, and a wrong token is not kept', async () => {
  const add = await runSwarm(`context add local --url ${core.url} --token-file -`, {
    ...asAdmin,
    core: undefined,
    stdin: `${core.viewerToken}\n`,
  });
  expect(add).toMatchObject({ exitCode: 0, stdout: 'context local is added and chosen\n' });
  const path = join(folder, 'config/swarm/contexts.json');
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const plain = { cwd: folder, env: { XDG_CONFIG_HOME: join(folder, 'config') } };
  expect((await runSwarm('whoami', plain)).stdout).toContain('viewer');
  const wrong = await runSwarm(`context add bad --url ${core.url} --token-file -`, { ...plain, stdin: 'wrong' });
  expect(wrong.exitCode).toBe(4);
  const unasked = await runSwarm(`context add bad --url ${core.url}`, plain);
  expect(unasked).toMatchObject({ exitCode: 2 });
  expect((await runSwarm('context ls --json', plain)).objects()).toEqual([
    { name: 'local', url: core.url, namespace: null, chosen: true },
  ]);
  expect((await runSwarm('whoami --context nowhere', plain)).exitCode).toBe(2);
  expect((await runSwarm('context use nowhere', plain)).exitCode).toBe(1);
  expect((await runSwarm('context rm local --yes', plain)).exitCode).toBe(0);
});

test('words are completed with live names', async () => {
  const complete = async (...words: string[]) =>
    (await runSwarm(['complete', '--', ...words], asAdmin)).stdout.trimEnd().split('\n');
  expect(await complete('ag')).toEqual(['agents']);
  expect(await complete('agents', 'g')).toEqual(['get']);
  expect(await complete('agents', 'get', 'a')).toEqual(['ada']);
  expect(await complete('groups', 'get', '')).toEqual(['orders']);
  expect(await complete('agents', 'ls', '--health', '')).toEqual(['unknown', 'healthy', 'unhealthy']);
  expect(await complete('agents', 'ls', '--he')).toEqual(['--health', '--help']);
  expect(await complete('policy', 'explain', 'ada', 'publish', 'orders')).toEqual(['orders.created']);
  expect(await complete('policy', 'diff', '--file', '')).toEqual([':file']);
});

test('open prints a link that signs in to the dashboard once', async () => {
  const { exitCode, stdout, stderr } = await viewer('open');
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'It signs in once, within two minutes.\n' });
  const { origin, hash } = new URL(stdout.trim());
  expect(origin).toBe(core.url);
  const code = new URLSearchParams(hash.slice(1)).get('code');
  const signIn = () =>
    fetch(`${core.url}/v1/session`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: core.url },
      body: JSON.stringify({ code }),
    });
  expect([(await signIn()).status, (await signIn()).status]).toEqual([201, 401]);
});
