// What a registration may say: every limit at its boundary and just past it, and what the schema makes of what it takes.
import { describe, expect, test } from 'vitest';
import { Agent, AgentRegistration } from './agent.ts';
import { invalidInput } from './error.ts';

const minimal = { name: 'worker', role: 'crawler', version: '1.0.0' };
const register = (fields: object) => AgentRegistration.safeParse({ ...minimal, ...fields });
const takes = (fields: object) => register(fields).success;

/** Paths of what was refused, as a caller reads them in `details`. */
function refusedPaths(fields: object): string[] {
  const { error } = register(fields);
  return error === undefined ? [] : (invalidInput(error).details ?? []).map(({ path }) => path);
}

const times = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));
const deepArray = (levels: number) => JSON.parse(`${'['.repeat(levels)}${']'.repeat(levels)}`) as unknown;
const deepObject = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}0${'}'.repeat(levels)}`) as unknown;

test('a minimal registration has the defaults of all other fields', () => {
  expect(AgentRegistration.parse(minimal)).toEqual({
    ...minimal,
    namespace: 'default',
    topics: { publishes: [], subscribes: [] },
    capabilities: [],
    labels: {},
  });
});

test.each(['name', 'role', 'version'])('%s is required', (field) => {
  expect(refusedPaths({ [field]: undefined })).toEqual([field]);
});

test('unknown fields are ignored at every level, however deep they are', () => {
  const extra = { extra: deepObject(100_000) };
  const registration = AgentRegistration.parse({
    ...minimal,
    ...extra,
    topics: { publishes: ['a'], ...extra },
    capabilities: [{ id: 'fetch', ...extra }],
  });
  expect(registration).not.toHaveProperty('extra');
  expect(registration.topics).toEqual({ publishes: ['a'], subscribes: [] });
  expect(registration.capabilities).toEqual([{ id: 'fetch' }]);
});

test('capabilities become objects, in order', () => {
  const { capabilities } = AgentRegistration.parse({
    ...minimal,
    capabilities: ['fetch', { id: 'parse', tags: ['html'], inputSchema: { type: 'string' } }],
  });
  expect(capabilities).toEqual([{ id: 'fetch' }, { id: 'parse', tags: ['html'], inputSchema: { type: 'string' } }]);
});

test('declared patterns are deduplicated', () => {
  const { topics } = AgentRegistration.parse({ ...minimal, topics: { publishes: ['a.b', 'a.>', 'a.b'] } });
  expect(topics.publishes).toEqual(['a.b', 'a.>']);
});

test.each<[string, object, boolean]>([
  ['a namespace of 63', { namespace: 'n'.repeat(63) }, true],
  ['a namespace of 64', { namespace: 'n'.repeat(64) }, false],
  ['a name of 63', { name: 'n'.repeat(63) }, true],
  ['a name of 64', { name: 'n'.repeat(64) }, false],
  ['the name "watch"', { name: 'watch' }, false],
  ['the role "watch"', { role: 'watch' }, true],
  ['a role of 63', { role: 'r'.repeat(63) }, true],
  ['a role of 64', { role: 'r'.repeat(64) }, false],
  ['256 capabilities', { capabilities: times(256, (n) => `c-${n}`) }, true],
  ['257 capabilities', { capabilities: times(257, (n) => `c-${n}`) }, false],
  ['a capability twice', { capabilities: ['fetch', { id: 'fetch' }] }, false],
  ['a capability in two cases', { capabilities: ['fetch', 'Fetch'] }, true],
  ['a capability as a tool of MCP is called', { capabilities: ['create_pull_request'] }, true],
  ['a capability as a skill of A2A is called', { capabilities: [{ id: 'routeOptimizer.v2-beta_1.' }] }, true],
  ['a capability of one digit', { capabilities: ['1'] }, true],
  ['a capability that begins with "_"', { capabilities: ['_fetch'] }, false],
  ['a capability with a space', { capabilities: ['fetch all'] }, false],
  ['a capability with a slash', { capabilities: [{ id: 'a/b' }] }, false],
  ['a capability with a letter beyond ASCII', { capabilities: ['prüfen'] }, false],
  ['an empty capability', { capabilities: [''] }, false],
  ['a capability id of 128', { capabilities: [{ id: 'c'.repeat(128) }] }, true],
  ['a capability id of 129', { capabilities: [{ id: 'c'.repeat(129) }] }, false],
  ['a capability string of 129', { capabilities: ['c'.repeat(129)] }, false],
  ['a capability without an id', { capabilities: [{}] }, false],
  ['32 tags', { capabilities: [{ id: 'c', tags: times(32, String) }] }, true],
  ['33 tags', { capabilities: [{ id: 'c', tags: times(33, String) }] }, false],
  ['a tag of 64', { capabilities: [{ id: 'c', tags: ['t'.repeat(64)] }] }, true],
  ['a tag of 65', { capabilities: [{ id: 'c', tags: ['t'.repeat(65)] }] }, false],
  ['an empty tag', { capabilities: [{ id: 'c', tags: [''] }] }, false],
  ['a schema of 64 levels', { capabilities: [{ id: 'c', inputSchema: deepObject(64) }] }, true],
  ['a schema of 65 levels', { capabilities: [{ id: 'c', outputSchema: deepObject(65) }] }, false],
  ['a schema that is no object', { capabilities: [{ id: 'c', inputSchema: [] }] }, false],
  [
    '64 patterns each way',
    { topics: { publishes: times(64, (n) => `p.${n}`), subscribes: times(64, (n) => `s.${n}`) } },
    true,
  ],
  ['65 published patterns', { topics: { publishes: times(65, (n) => `p.${n}`) } }, false],
  ['65 subscribed patterns', { topics: { subscribes: times(65, (n) => `s.${n}`) } }, false],
  ['a pattern that is none', { topics: { publishes: ['a.>.b'] } }, false],
  ['a pattern of 17 tokens', { topics: { publishes: [times(17, () => 'a').join('.')] } }, false],
  ['32 labels', { labels: Object.fromEntries(times(32, (n) => [`l-${n}`, ''])) }, true],
  ['33 labels', { labels: Object.fromEntries(times(33, (n) => [`l-${n}`, ''])) }, false],
  ['a label key of 63', { labels: { ['l'.repeat(63)]: '' } }, true],
  ['a label key of 64', { labels: { ['l'.repeat(64)]: '' } }, false],
  ['a label key in capitals', { labels: { Zone: '' } }, false],
  ['a label value of 256', { labels: { zone: 'v'.repeat(256) } }, true],
  ['a label value of 257', { labels: { zone: 'v'.repeat(257) } }, false],
  ['a label value that is no string', { labels: { zone: 1 } }, false],
  ['labels in an array', { labels: ['zone'] }, false],
  ['a description of 4096', { description: 'd'.repeat(4096) }, true],
  ['a description of 4097', { description: 'd'.repeat(4097) }, false],
  ['no description', { description: null }, true],
  ['an incarnation', { incarnation: '0190a7a0-7b1e-7cc3-98c4-dc0c0c07398f' }, true],
  ['no incarnation', { incarnation: null }, true],
  ['an incarnation that is no uuid', { incarnation: 'first' }, false],
  ['a lease of 5 s', { leaseMs: 5000 }, true],
  ['a lease of less', { leaseMs: 4999 }, false],
  ['a lease of a day', { leaseMs: 86_400_000 }, true],
  ['a lease of more', { leaseMs: 86_400_001 }, false],
  ['half a millisecond of a lease', { leaseMs: 5000.5 }, false],
  ['a lease in a string', { leaseMs: '30000' }, false],
  ['no lease', { leaseMs: null }, true],
])('%s', (_, fields, expected) => {
  expect(takes(fields)).toBe(expected);
});

test('a label key __proto__ is dropped and reaches no prototype', () => {
  const { labels } = AgentRegistration.parse({
    ...minimal,
    labels: JSON.parse('{"__proto__":"x","zone":"a"}') as object,
  });
  expect(Object.entries(labels)).toEqual([['zone', 'a']]);
  expect(Object.getPrototypeOf(labels)).toBe(Object.prototype);
});

describe('version', () => {
  test.each(['0.0.0', '1.2.3', '1.0.0-rc.1+build.5', '1.0.0-0a', `1.0.0-${'a'.repeat(250)}`])(
    'the version %j is accepted',
    (version) => {
      expect(takes({ version })).toBe(true);
    },
  );

  test.each([
    '',
    '1',
    '1.0',
    'v1.0.0',
    '01.0.0',
    '1.0.0-',
    '1.0.0-01',
    '1.0.0 ',
    '1.0.0\0',
    `1.0.0-${'a'.repeat(251)}`,
  ])('refuses %j', (version) => {
    expect(takes({ version })).toBe(false);
  });

  test('a hostile version is refused in linear time', () => {
    expect(takes({ version: `1.0.0-${'a-'.repeat(100_000)}!` })).toBe(false);
  });
});

describe('healthUrl', () => {
  const url = (length: number) => `http://a/${'p'.repeat(length - 'http://a/'.length)}`;

  test.each(['http://127.0.0.1:80/health', 'https://agent.example/health?deep=1', 'http://[::1]/', url(2048)])(
    'takes %j',
    (healthUrl) => {
      expect(takes({ healthUrl })).toBe(true);
    },
  );

  test.each([
    '',
    'health',
    '/health',
    '//host/health',
    'ftp://host/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'http://',
    'http://user@host/',
    'http://user:password@host/',
    'http://host/\0',
    url(2049),
  ])('refuses %j', (healthUrl) => {
    expect(takes({ healthUrl })).toBe(false);
  });
});

describe.each([
  ['NUL', 'a\0b'],
  ['a lone high surrogate', 'a\ud800'],
  ['a lone low surrogate', '\udc00a'],
])('%s is refused in', (_, text) => {
  test.each<[string, object]>([
    ['name', { name: text }],
    ['role', { role: text }],
    ['version', { version: text }],
    ['description', { description: text }],
    ['healthUrl', { healthUrl: `http://host/${text}` }],
    ['topics.publishes.0', { topics: { publishes: [text] } }],
    ['labels.zone', { labels: { zone: text } }],
    [`labels.${text}`, { labels: { [text]: 'a' } }],
    ['capabilities.0', { capabilities: [text] }],
    ['capabilities.0.description', { capabilities: [{ id: 'c', description: text }] }],
    ['capabilities.0.tags.0', { capabilities: [{ id: 'c', tags: [text] }] }],
    ['capabilities.0.inputSchema.title', { capabilities: [{ id: 'c', inputSchema: { title: text } }] }],
    ['capabilities.0.outputSchema', { capabilities: [{ id: 'c', outputSchema: { [text]: true } }] }],
  ])('%j', (path, fields) => {
    expect(refusedPaths(fields)).toContain(path);
  });
});

test.each(['name', 'role', 'version', 'description', 'healthUrl', 'topics', 'labels', 'capabilities', 'incarnation'])(
  '100,000 levels of JSON in %s are refused, and nothing overflows',
  (field) => {
    expect(refusedPaths({ [field]: deepArray(100_000) })).not.toEqual([]);
    expect(takes({ [field]: [deepObject(100_000)] })).toBe(false);
  },
);

test('100,000 levels in a capability schema are refused', () => {
  expect(takes({ capabilities: [{ id: 'c', inputSchema: deepObject(100_000) }] })).toBe(false);
  expect(takes({ capabilities: [{ id: 'c', outputSchema: { items: deepArray(100_000) } }] })).toBe(false);
});

test.each([null, undefined, 'agent', 1, [], [minimal]])('%j is no registration', (value) => {
  expect(AgentRegistration.safeParse(value).success).toBe(false);
});

test('an agent travels through JSON unchanged', () => {
  const agent: Agent = {
    ...AgentRegistration.parse(minimal),
    id: '0190a7a0-7b1e-7cc3-98c4-dc0c0c07398f',
    description: null,
    healthUrl: null,
    incarnation: null,
    status: {
      health: 'unknown',
      activity: 'ready',
      activitySince: '2026-01-01T00:00:00.000Z',
      note: null,
      circuit: 'closed',
      circuitOpenUntil: null,
      consecutiveFailures: 0,
      lastSeenAt: null,
      reason: null,
    },
    leaseMs: 30_000,
    revision: 1,
    specRevision: 1,
    registeredAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  };
  expect(Agent.parse(JSON.parse(JSON.stringify(agent)))).toEqual(agent);
});
