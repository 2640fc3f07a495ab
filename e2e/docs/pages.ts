// The pages in the order in which a newcomer reads them, what each presupposes, and what its text promises of its samples. A sample
// that is not listed runs, ends by itself without a fault, and prints what the page shows.
import type { Surroundings } from './surroundings.ts';

export interface Step {
  /** Words of a sample that no other sample of the page has. */
  readonly sample: string;
  /** Why it does not run here. */
  readonly notRun?: string;
  /** Why it prints nothing. */
  readonly silent?: string;
  /** What it prints by the end of the page, as the text around it promises. */
  readonly prints?: readonly RegExp[];
  /** Why a reader may have to run it again until it prints what the page shows. */
  readonly again?: string;
  /** For a program that runs until it is stopped: when it has done its work. */
  readonly until?: (output: string, around: Surroundings) => unknown;
  /** What stops it. Default: SIGTERM. */
  readonly signal?: NodeJS.Signals;
  /** Variables of a program. */
  readonly env?: (around: Surroundings) => Readonly<Record<string, string>>;
}

export interface Page {
  readonly path: string;
  /** The package whose modules its TypeScript samples are. Default: the root of the workspace. */
  readonly folder?: string;
  /** Whether its samples take names for given, which `samples.test.ts` defines, or have decorators. */
  readonly takesForGiven?: boolean;
  /** Whether its reader has a PostgreSQL and a Redis. */
  readonly hasStores?: boolean;
  /** Starts what the page presupposes besides `pnpm dev`. Gives what ends it. */
  readonly fixture?: (around: Surroundings) => Promise<() => Promise<unknown>>;
  readonly steps?: readonly Step[];
}

const DEFINES = 'it defines functions';
const SHOWN = 'it is an expression';
const OF_CLIENT = 'it configures a program of others';

type Until = NonNullable<Step['until']>;

const isThere =
  (name: string): Until =>
  (_, { admin }) =>
    admin.registry.get({ name }).catch(() => false);
const printed =
  (text: string | RegExp): Until =>
  (output) =>
    output.search(text) >= 0;

export const PAGES: readonly Page[] = [
  {
    path: 'README.md',
    steps: [
      {
        sample: '$ swarm events trace',
        notRun: 'apps/cli/test/session.test.ts compares it with what the commands print',
      },
      { sample: 'pnpm test ', notRun: '`pnpm dev` is what all pages run on; `pnpm test` runs this test' },
      { sample: 'agents/watch', prints: [/"analyst"/, /"scribe"/, /"architect"/, /"type":"change".*"reviewer-1"/] },
      { sample: 'connectAgent({', until: printed('hello has joined at revision'), signal: 'SIGINT' },
      { sample: 'hello-agent.ts', prints: [/hello has joined at revision \d+/] },
    ],
  },
  {
    path: 'apps/cli/README.md',
    steps: [
      { sample: 'npx @hypercode/cli up', notRun: 'e2e/cli/up.test.ts runs it, packed' },
      { sample: 'npm install --global', notRun: 'the same package; the commands have tests of their own' },
    ],
  },
  {
    path: 'docs/getting-started.md',
    steps: [
      { sample: 'token() {', silent: DEFINES },
      {
        sample: 'client.watch()',
        until: printed('here analyst worker'),
        signal: 'SIGINT',
        env: ({ viewerToken }) => ({ SWARM_TOKEN: viewerToken }),
      },
      { sample: 'watch-agents.ts', prints: [/here scribe worker/] },
      { sample: '?text=review', prints: [/"reviewer-1"/, /"registered"/] },
      { sample: '/mermaid', prints: [/flowchart|graph/], again: 'a plan takes some seconds' },
      { sample: 'task-worker.ts', prints: [/my-worker has joined and waits for tasks/] },
      { sample: 'build-and-test.ts', prints: [/build 1 passed/, /build 2 failed/, /build 3 passed/] },
    ],
  },
  {
    path: 'docs/tour.md',
    steps: [
      { sample: 'token() {', silent: DEFINES },
      { sample: 'BREAKS=1', prints: [/ada cannot read a letter/, /ada works on "Translate: buongiorno"/] },
      { sample: 'dead-letters -H', again: 'the second attempt comes after a while' },
      { sample: 'circuit=open', prints: [/"name":"ada"/] },
      { sample: 'AGENT_NAME=bob', prints: [/bob works on "Translate: buongiorno"/] },
      { sample: 'task.bob.completed', again: 'the task takes a moment' },
      { sample: 'AGENT_NAME=ada pnpm', prints: [/ada has read.*Grace/] },
    ],
  },
  {
    path: 'docs/events.md',
    steps: [
      { sample: 'token() {', silent: DEFINES },
      { sample: 'events/stream', prints: [/^id: .+/m, /"build\.finished"/] },
      { sample: 'format=cloudevents', prints: [/"specversion":"1\.0"/, /"originid":"7"/] },
    ],
  },
  {
    path: 'docs/mcp.md',
    steps: [
      { sample: 'claude mcp add', notRun: OF_CLIENT },
      { sample: '[mcp_servers.swarm]', notRun: OF_CLIENT },
      { sample: '"httpUrl"', notRun: OF_CLIENT },
      { sample: '"command": "npx"', notRun: 'it configures a client; apps/cli/test/mcp.test.ts runs the command' },
      { sample: 'token() {', silent: DEFINES },
    ],
  },
  {
    path: 'docs/tracing.md',
    steps: [
      { sample: 'token() {', silent: DEFINES },
      { sample: 'events/preview', prints: [/"because":".*build\.finished/] },
      { sample: 'client.bus.preview', prints: [/goal\.submited/] },
      { sample: '$id/trace', prints: [/"kept":true/, /"effectsComplete":true/] },
      { sample: 'mandatory: true', prints: [/^UNROUTABLE$/m] },
    ],
  },
  {
    path: 'docs/coding-agents.md',
    steps: [
      { sample: '.claude/skills/', silent: 'it copies files' },
      { sample: 'SWARM_AGENT=coder-1 claude', notRun: 'it needs Claude Code' },
      {
        sample: 'wake.sh claude',
        notRun: 'it needs Claude Code; e2e/examples/coding-agents.test.ts runs it with a stand-in',
      },
      { sample: 'work() {', silent: DEFINES },
      { sample: 'mcp join', prints: [/"as":"coder-1"/, /"as":"reviewer-7"/] },
      { sample: 'A greeting in Esperanto', prints: [/"planId"/] },
      { sample: 'claimed=', prints: [/"taskId":"write"/, /"state":"open"/] },
      { sample: 'questions answer', prints: [/coder-1 has its answer/] },
      { sample: 'Saluton', prints: [/"answer":"friendly"/, /"taskId":"write\.review"/] },
      { sample: '--state completed', prints: [/completed +2\/2/], again: 'the plan takes a moment' },
    ],
  },
  { path: 'docs/groups.md', steps: [{ sample: 'token() {', prints: [/"coder-reviewers"/] }] },
  {
    path: 'docs/policies.md',
    steps: [
      { sample: 'token() {', silent: DEFINES },
      { sample: 'policy > policy.json', silent: 'it writes a file' },
      { sample: "'?dryRun=true' -X PUT", prints: [/"effect"/] },
      { sample: 'name=architect', prints: [/"allowed":true/, /"allowed":false/] },
    ],
  },
  {
    path: 'docs/workers.md',
    takesForGiven: true,
    steps: [
      { sample: 'AGENT_NAME=analyst-2', prints: [/analyst-2 has joined/, /scribe-2 has joined/] },
      { sample: 'serveTasks(agent', until: isThere('translator'), silent: 'no task is assigned to it' },
      { sample: 'json=', prints: [/"leaseMs":30000/] },
      { sample: 'goal=$(curl', silent: 'it keeps the answer' },
      { sample: 'field planId', again: 'a plan takes some time' },
    ],
  },
  {
    path: 'docs/architect.md',
    steps: [
      { sample: '"A note"', prints: [/^HTTP\/1\.1 202/, /^location: /m] },
      { sample: 'THE-PLAN-ID/retry', notRun: 'no plan has failed' },
    ],
  },
  {
    path: 'docs/containers.md',
    steps: [
      { sample: 'make-env.sh', notRun: 'it needs Docker; docker/verify.sh runs it' },
      { sample: 'docker-compose.stores.yml up', notRun: 'it needs Docker' },
      { sample: 'docker-compose.replicas.yml up', notRun: 'it needs Docker; docker/verify.sh runs it' },
      { sample: 'docker build', notRun: 'it needs Docker; docker/verify.sh builds the images' },
    ],
  },
  {
    path: 'docs/security.md',
    folder: 'packages/client',
    steps: [{ sample: 'verifyAudit', prints: [/no entry was changed/] }],
  },
  {
    path: 'docs/operations.md',
    hasStores: true,
    steps: [
      { sample: 'DATABASE_URL=', prints: [/listening on http/] },
      { sample: 'proxy_pass', notRun: 'it is a configuration of nginx' },
    ],
  },
  {
    path: 'packages/client/README.md',
    folder: 'packages/client',
    fixture: async ({ translate }) => {
      const agents = await Promise.all([translate('interpreter'), translate('translator-1')]);
      return () => Promise.all(agents.map((agent) => agent.stop()));
    },
    steps: [
      { sample: 'client.plans.list(', silent: 'no plan runs, or has failed' },
      { sample: 'npm install', notRun: 'e2e/packages installs the packed packages' },
      { sample: 'registry.query({ capability', prints: [/interpreter/, /another client changed it first/] },
      { sample: "client.watch({ role: 'worker' })", until: printed(/\d+ agents/) },
      { sample: "client.on('build.*'", silent: 'it may end before the event arrives' },
      { sample: 'client.directory(', prints: [/healthy/] },
      {
        sample: 'client.subscribe({',
        until: async (output, { admin }) => {
          await admin.publish('build.done', 1);
          return output.includes('build.done 1');
        },
      },
      {
        sample: "group: 'coder-builders'",
        until: async (output, { admin, builds }) => {
          if (builds() === 0) await admin.publish('build.requested', { branch: 'main' });
          return builds() > 0 && output.includes('attempt 1');
        },
      },
      { sample: 'defineEvents({', until: printed('ok true in 0 ms') },
      { sample: 'client.goals.submit', prints: [/plan\.created/, /hallo/] },
      { sample: 'onFenced', prints: [/interpreter/] },
      { sample: 'serveHealth(agent', until: printed('registered: true') },
      { sample: 'logger: {', silent: 'there is nothing to log' },
    ],
  },
  {
    path: 'packages/nestjs/README.md',
    folder: 'packages/nestjs',
    takesForGiven: true,
    steps: [
      {
        sample: 'NestFactory.create(AppModule)',
        until: printed('builder is one of'),
      },
      { sample: 'forRootAsync', silent: SHOWN },
      { sample: 'onEnded', silent: SHOWN },
      { sample: 'class RootModule', until: (output, around) => around.application(output) },
      { sample: 'overrideProvider(SWARM_OPTIONS)', prints: [/builder-in-test/] },
      { sample: 'const published: string[]', prints: [/greeting\.said/] },
    ],
  },
  {
    path: 'packages/swarm-testing/README.md',
    folder: 'packages/swarm-testing',
    steps: [
      { sample: 'npm install', notRun: 'e2e/packages installs the packed packages' },
      { sample: "from 'node:test'", prints: [/^# pass 1|ℹ pass 1/m] },
      { sample: 'expireAfterMs', silent: 'it shows settings alone' },
    ],
  },
  {
    path: 'CONTRIBUTING.md',
    steps: [{ sample: 'pnpm verify', notRun: 'CI runs it' }],
  },
];
