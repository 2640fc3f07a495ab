// The conformance suite of the protocol against `/mcp`: all that a revision requires of servers, but for what stands here with its reason.
import { startTestCore, START_TIMEOUT_MS, type TestCore } from '@hypercode/core-runtime/testing';
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TokenProxy, withToken } from './with-token.ts';

/** What the core does not offer, and no server has to. */
const NO_PROMPTS = 'the core has no prompts: what an agent does is for its own instructions';
const NO_COMPLETION = 'nothing is completed: names are found with find_agents';
const NO_LOGGING = 'the log of the core is for operators, and no client receives it';
const NO_REQUESTS = 'the core asks clients nothing: people are asked with ask_person, which every client can use';
const NO_PROGRESS = 'a call that waits ends after 25 seconds at most, and has no progress to report';
const NO_SUBSCRIPTIONS =
  'without sessions there are no subscriptions of resources: changes are waited for with wait_for_events';
const NO_LISTEN = 'no list announces changes, so there is no stream of changes: a list has a time to live';
const OWN_TOOL = 'a diagnostic tool of the example server of the suite, without which this cannot be tested';
/** The scenario calls a tool or reads a resource of the suite's own server. */
const OWN_FIXTURE = 'calls tools or reads resources of the example server of the suite, which no other server has';
const TEXT_ONLY = 'answers are text and structured content: agents exchange JSON';

const NOT_APPLICABLE: Readonly<Record<string, string>> = {
  'completion-complete': NO_COMPLETION,
  'logging-set-level': NO_LOGGING,
  'tools-call-with-logging': NO_LOGGING,
  'tools-call-simple-text': OWN_FIXTURE,
  'tools-call-error': OWN_FIXTURE,
  'tools-call-image': TEXT_ONLY,
  'tools-call-audio': TEXT_ONLY,
  'tools-call-embedded-resource': TEXT_ONLY,
  'tools-call-mixed-content': TEXT_ONLY,
  'tools-call-with-progress': NO_PROGRESS,
  'tools-call-sampling': NO_REQUESTS,
  'tools-call-elicitation': NO_REQUESTS,
  'elicitation-sep1034-defaults': NO_REQUESTS,
  'elicitation-sep1330-enums': NO_REQUESTS,
  'resources-read-text': OWN_FIXTURE,
  'resources-read-binary': OWN_FIXTURE,
  'resources-templates-read': OWN_FIXTURE,
  // Of the revision 2025-11-25 alone: the other has no sessions either, and the scenario passes.
  'server-sse-multiple-streams': 'is about the streams of a session, and there are no sessions',
  'resources-subscribe': NO_SUBSCRIPTIONS,
  'resources-unsubscribe': NO_SUBSCRIPTIONS,
  'prompts-list': NO_PROMPTS,
  'prompts-get-simple': NO_PROMPTS,
  'prompts-get-with-args': NO_PROMPTS,
  'prompts-get-embedded-resource': NO_PROMPTS,
  'prompts-get-with-image': NO_PROMPTS,
  'input-required-result-basic-elicitation': NO_REQUESTS,
  'input-required-result-basic-sampling': NO_REQUESTS,
  'input-required-result-basic-list-roots': NO_REQUESTS,
  'input-required-result-request-state': NO_REQUESTS,
  'input-required-result-multiple-input-requests': NO_REQUESTS,
  'input-required-result-multi-round': NO_REQUESTS,
  'input-required-result-missing-input-response': NO_REQUESTS,
  'input-required-result-non-tool-request': NO_REQUESTS,
  'input-required-result-result-type': NO_REQUESTS,
  'input-required-result-unsupported-methods': NO_REQUESTS,
  'input-required-result-tampered-state': NO_REQUESTS,
  'input-required-result-capability-check': NO_REQUESTS,
  'input-required-result-ignore-extra-params': NO_REQUESTS,
  'input-required-result-validate-input': NO_REQUESTS,
};

const APPLICABLE: Readonly<Record<string, readonly string[]>> = {
  '2026-07-28': [
    'server-stateless',
    'tools-list',
    'server-sse-multiple-streams',
    'resources-list',
    'sep-2164-resource-not-found',
    'dns-rebinding-protection',
    'caching',
  ],
  '2025-11-25': ['server-initialize', 'ping', 'tools-list', 'resources-list', 'dns-rebinding-protection'],
};

/** Checks of the scenarios that are run which fail where a server does not offer what they are about. */
const NOT_APPLICABLE_CHECKS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'server-stateless': {
    'sep-2575-server-rejects-undeclared-capability': OWN_TOOL,
    'sep-2575-missing-capability-http-400': OWN_TOOL,
    'sep-2575-http-server-no-independent-requests-on-stream': OWN_TOOL,
    'sep-2575-server-no-log-without-loglevel': OWN_TOOL,
    'sep-2575-server-sends-subscription-ack': NO_LISTEN,
    'sep-2575-server-tags-subscription-id': NO_LISTEN,
    'sep-2575-server-honors-notification-filter': NO_LISTEN,
  },
  caching: { 'sep-2549-prompts-list-caching-hints': NO_PROMPTS },
};

const PROGRAM = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);

interface Check {
  readonly id: string;
  readonly status: string;
}

/** `TIME [ID   ] STATUS WORDS`, one a line. */
const checksIn = (output: string): Check[] =>
  [...output.matchAll(/^\S+ \[([\w-]+) *\] ([A-Z]+) /gm)].map(([, id = '', status = '']) => ({ id, status }));

/** Runs the program of the suite to its end, in a folder of its own, where it leaves its results. */
async function conformance(words: readonly string[]): Promise<{ output: string; checks: Check[] }> {
  const cwd = await mkdtemp(join(tmpdir(), 'swarm-conformance-'));
  try {
    const child = spawn(process.execPath, [PROGRAM, ...words], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (part: Buffer) => (output += part.toString()));
    await new Promise((resolve) => child.on('close', resolve));
    return { output, checks: checksIn(stripVTControlCharacters(output)) };
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

let core: TestCore;
let proxy: TokenProxy;

beforeAll(async () => {
  core = await startTestCore();
  proxy = await withToken(core, core.adminToken);
}, START_TIMEOUT_MS);
afterAll(async () => {
  await proxy?.close();
  await core?.close();
});

describe.each(Object.keys(APPLICABLE))('of the revision %s', (revision) => {
  const applicable = APPLICABLE[revision] ?? [];

  test('each scenario that is required of servers is run, or has a reason not to be', async () => {
    const { output } = await conformance(['list', '--requirements', revision]);
    const [, servers = ''] = /Server scenarios[^\n]*\n([\s\S]*?)\n\n/.exec(output) ?? [];
    const required = [...servers.matchAll(/^ {2}- (\S+)$/gm)].map(([, name = '']) => name);
    expect(required.length).toBeGreaterThan(20);
    const open = required.filter((name) => !applicable.includes(name) && !Object.hasOwn(NOT_APPLICABLE, name));
    expect(open).toEqual([]);
    expect(applicable.filter((name) => !required.includes(name))).toEqual([]);
  });

  test.each(applicable)('%s passes', async (scenario) => {
    const target = ['--url', `${proxy.url}/mcp`, '--scenario', scenario, '--spec-version', revision];
    const { checks, output } = await conformance(['server', ...target]);
    expect(
      checks.some(({ status }) => status === 'SUCCESS'),
      output,
    ).toBe(true);
    const failed = checks.filter(({ status }) => status === 'FAILURE').map(({ id }) => id);
    const excused = Object.keys(NOT_APPLICABLE_CHECKS[scenario] ?? {});
    expect(failed.toSorted(), output).toEqual(excused.toSorted());
  });
});
