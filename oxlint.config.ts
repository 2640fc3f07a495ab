// What the linter holds the workspace to: correctness with types, the arrows between packages, and a few habits.
import { defineConfig, type DummyRuleMap, type OxlintOverride } from 'oxlint';

interface Arrow {
  /** What the sources may import of the workspace; an entry beside the index by its path. */
  readonly imports: readonly string[];
  /** What the tests may import besides. */
  readonly tests?: readonly string[];
  /** Whether the sources run in browsers too. */
  readonly portable?: boolean;
  /** Of those, the sources that only Node.js loads. */
  readonly nodeOnly?: readonly string[];
  /**
   * Rooms (and files) of `src` from the bottom up: each may import from those before it. Sources in no room compose the rooms, or
   * stand below all of them.
   */
  readonly rooms?: readonly string[];
}

/** contracts ← registry ← server ← core, feed beside registry, contracts ← client ← everything that calls. */
const ARROWS: Readonly<Record<string, Arrow>> = {
  'packages/clock': { imports: [], portable: true },
  'packages/contracts': { imports: [], portable: true },
  'packages/feed': { imports: ['clock', 'contracts'], tests: ['clock/testing', 'testkit'] },
  'packages/stores': {
    imports: ['clock', 'contracts', 'feed'],
    tests: ['clock/testing', 'feed/testing', 'testkit'],
  },
  'packages/registry': {
    imports: ['clock', 'contracts', 'stores', 'feed'],
    tests: ['clock/testing', 'stores/testing', 'testkit'],
    rooms: [
      'migrations',
      'functions',
      'documents',
      'changes',
      'tokens',
      'agents',
      'watch',
      'retention',
      'probes',
      'liveness',
      'heartbeats',
    ],
  },
  'packages/bus': {
    imports: ['clock', 'contracts', 'stores', 'feed'],
    tests: ['clock/testing', 'stores/testing', 'testkit'],
    rooms: ['store', 'postgres', 'redis', 'policies', 'admission', 'appending', 'subscriptions', 'groups'],
  },
  'packages/operations': {
    imports: ['clock', 'contracts', 'stores', 'feed'],
    tests: ['clock/testing', 'stores/testing', 'testkit'],
    rooms: ['migrations', 'functions', 'audit', 'statistics', 'traffic', 'reports', 'sessions', 'questions'],
  },
  'packages/server': {
    imports: ['bus', 'clock', 'contracts', 'stores', 'feed', 'operations', 'plans', 'registry', 'schemas'],
    tests: ['clock/testing'],
  },
  'packages/mcp': {
    imports: ['contracts', 'registry', 'server'],
    rooms: ['answers', 'tools', 'resources', 'exchange'],
  },
  'packages/client': {
    imports: ['clock', 'contracts'],
    tests: ['clock/testing', 'core-runtime/testing', 'testkit', 'testkit/death-guard'],
    portable: true,
    nodeOnly: ['src/transport/transport-node.ts', 'src/presence/serve-health.ts'],
    rooms: [
      'transport',
      'calls',
      'watching',
      'publishing',
      'consuming',
      'bus',
      'goals',
      'plans',
      'overview',
      'questions',
      'swarm-client.ts',
      'presence',
      'tasks',
      'index.ts',
      'node.ts',
    ],
  },
  'packages/plans': { imports: ['contracts'], portable: true },
  'packages/schemas': { imports: ['clock', 'contracts'], tests: ['testkit'] },
  'packages/settings': { imports: [] },
  'packages/nestjs': {
    imports: ['client', 'clock', 'contracts'],
    tests: ['core-runtime/testing', 'testing', 'testkit'],
  },
  'packages/testkit': { imports: [] },
  'packages/core': {
    imports: ['bus', 'clock', 'contracts', 'stores', 'feed', 'mcp', 'operations', 'registry', 'server'],
    tests: ['clock/testing', 'server/testing', 'stores/testing', 'testkit'],
  },
  'packages/swarm-testing': { imports: ['client', 'core-runtime'], tests: ['testkit'] },
  'apps/core': {
    imports: ['core-runtime', 'settings'],
    tests: ['contracts', 'core-runtime/testing', 'testkit'],
  },
  'apps/architect': {
    imports: ['client', 'clock', 'contracts', 'nestjs', 'nestjs/terminus', 'plans', 'schemas', 'settings'],
    tests: ['clock/testing', 'core-runtime/testing', 'testkit'],
  },
  'apps/dashboard': {
    imports: ['client', 'clock', 'contracts'],
    tests: ['clock/testing'],
    portable: true,
    nodeOnly: ['build-when-changed.ts', 'vite.config.ts'],
  },
  'apps/cli': {
    imports: ['client', 'clock', 'contracts'],
    tests: ['clock/testing', 'core-runtime/testing', 'testkit'],
  },
  dev: { imports: ['testkit/death-guard'] },
  examples: { imports: ['client', 'client/node'] },
};

/** All tests, and what only tests need. */
const TESTS = ['**/*.test*', '**/test/**', '**/testing/**'];

/** Allows these workspace packages and refuses the others, whatever the path to them. */
function mayImport({ imports, portable, rooms = [] }: Arrow, room?: string): DummyRuleMap {
  const listed = imports.length === 0 ? 'no package of the workspace' : `of the workspace only ${imports.join(', ')}`;
  const patterns = [
    { regex: String.raw`^\.\..*[^./]/(src|test|testing)/`, message: 'Import another package by its name.' },
    {
      group: ['@hypercode/*', '@hypercode/*/**', ...imports.map((name) => `!@hypercode/${name}`)],
      message: `May import ${listed}, each by what it exports.`,
    },
  ];
  const noNode = { regex: '^node:', message: 'Runs in browsers too.' };
  const later = room === undefined ? [] : rooms.slice(rooms.indexOf(room) + 1);
  const noClimb = {
    regex: `^(?:\\.\\./)+(?:${later.join('|')})(?:/|$)`,
    message: `Comes after ${room} in the order of rooms.`,
  };
  // An allowed name ends the search in the last pattern, so what narrows it comes first.
  return {
    'no-restricted-imports': [
      'error',
      { patterns: [...(later.length > 0 ? [noClimb] : []), ...(portable ? [noNode] : []), ...patterns] },
    ],
  };
}

const arrows: OxlintOverride[] = Object.entries(ARROWS).flatMap(([folder, { tests = [], nodeOnly = [], ...arrow }]) => [
  { files: [`${folder}/**`], rules: mayImport(arrow) },
  ...(arrow.rooms ?? []).map((room) => ({ files: [`${folder}/src/${room}/**`], rules: mayImport(arrow, room) })),
  ...nodeOnly.map((path) => ({
    files: [`${folder}/${path}`],
    rules: mayImport({ ...arrow, portable: false }, path.split('/').at(-2)),
  })),
  {
    files: TESTS.map((glob) => `${folder}/${glob}`),
    rules: mayImport({ ...arrow, portable: false, imports: [...arrow.imports, ...tests] }),
  },
]);

const TEST_SUPPORT = [...TESTS, 'e2e/**', 'bench/**'];

/** Sources that take time, timers and chance from a `Clock` alone: all but the clock itself and what has to end a process. */
const CLOCKED = ['{packages,apps}/*/src/**'];
const NOT_CLOCKED = [
  'packages/clock/src/**',
  'packages/testkit/src/**',
  'packages/settings/src/app-process.ts',
  ...TESTS,
];

const TIME = 'Take it from the Clock, so that tests decide it.';
const clocked: OxlintOverride = {
  files: CLOCKED,
  excludeFiles: NOT_CLOCKED,
  rules: {
    'no-restricted-globals': [
      'error',
      ...['setTimeout', 'setInterval', 'performance'].map((name) => ({ name, message: TIME })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Date', property: 'now', message: TIME },
      { object: 'Math', property: 'random', message: TIME },
    ],
  },
};

const exceptions: OxlintOverride[] = [
  // Test doubles and clients there are object literals, whose functions use no `this`.
  { files: TEST_SUPPORT, rules: { 'typescript/unbound-method': 'off' } },
  // Their readers ask for a default export.
  { files: ['*.config.ts', 'packages/testkit/src/setup/*.ts'], rules: { 'import/no-default-export': 'off' } },
  {
    files: [
      '.ci/**',
      'apps/*/src/main.ts',
      'apps/cli/src/bin.ts',
      'packages/core/test/fuzz.test.ts',
      'packages/testkit/src/**',
      'e2e/**',
      'bench/**',
      'dev/**',
      'docker/**',
      'examples/**',
      '*.config.ts',
    ],
    rules: { 'node/no-process-env': 'off', 'no-console': 'off' },
  },
];

export default defineConfig({
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  plugins: ['eslint', 'typescript', 'unicorn', 'oxc', 'import', 'node', 'vitest'],
  categories: { correctness: 'error', suspicious: 'error' },
  rules: {
    // Promises, types and control flow.
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/return-await': 'error',
    'typescript/only-throw-error': 'error',
    'typescript/prefer-promise-reject-errors': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/use-unknown-in-catch-callback-variable': 'error',
    'typescript/no-deprecated': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
    // `== null` asks for null and undefined at once.
    eqeqeq: ['error', 'always', { null: 'ignore' }],

    // Taking a field out of an object leaves the name of what was taken.
    'no-unused-vars': ['error', { ignoreRestSiblings: true, argsIgnorePattern: '^_', varsIgnorePattern: '^_$' }],

    // A module of Nest is its decorator.
    'typescript/no-extraneous-class': ['error', { allowWithDecorator: true }],

    // Modules.
    'import/no-unassigned-import': ['error', { allow: ['**/*.css', '**/without-code.ts'] }],
    'import/no-cycle': 'error',
    'import/no-default-export': 'error',
    'import/no-duplicates': 'error',
    'typescript/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    'unicorn/filename-case': ['error', { case: 'kebabCase' }],
    'unicorn/prefer-node-protocol': 'error',
    'unicorn/no-abusive-eslint-disable': 'error',

    // An app reads the environment once, in its entry point; the core's layers speak through its log.
    'node/no-process-env': 'error',
    'no-console': 'error',

    // TypeScript's noImplicitReturns says it, and knows when a switch is exhaustive.
    'typescript/consistent-return': 'off',
    // What comes from outside goes through zod; the assertions that are left stand where a parser's `any` or an index
    // signature meets a type that the line above has just made sure of.
    'typescript/no-unsafe-type-assertion': 'off',
    // Properties assert, and so does waiting for a condition.
    'vitest/expect-expect': 'off',
    // A loop over cases or a stream asserts where the case says so.
    'vitest/no-conditional-expect': 'off',
    // The second argument is what vitest reports with the failure.
    'vitest/valid-expect': ['error', { maxArgs: 2 }],
    // The type of a mock follows from where it goes.
    'vitest/require-mock-type-parameters': 'off',
    // That a call fails while its server is away is the point, not in which words.
    'vitest/require-to-throw-message': 'off',
    // A small function may stand beside its only use.
    'unicorn/consistent-function-scoping': 'off',
    // It means windows of a browser; here messages go to worker threads.
    'unicorn/require-post-message-target-origin': 'off',
    // Listeners may come and go while a copy of their set is told; the rule takes the copy for waste.
    'unicorn/no-useless-spread': 'off',
    // Libraries have names that begin with one: zod's `_zod`, tRPC's `_def`.
    'no-underscore-dangle': 'off',
    // It does not see that an await in the loop lets others modify the condition.
    'no-unmodified-loop-condition': 'off',
    // fast-check is used by its customary default import.
    'import/no-named-as-default-member': 'off',
  },
  overrides: [...arrows, ...exceptions, clocked],
});
