// Agents, registrations and filters for tests: plain ones, and random ones from alphabets small enough to collide.
import type { Agent, AgentFilter, AgentRegistration, AgentUpdate, Capability } from '@hypercode/contracts';
import fc from 'fast-check';
import type { AgentDocument } from '../../src/documents/agent-row.ts';

export const INCARNATIONS = [
  '6f1e9a40-0b6c-4f0e-8f57-8a1b9d1c2e3f',
  '0d9cbb52-5bb2-4b8e-9a86-0f5f4f6f7a11',
  'c0ffee00-1234-4abc-8def-0123456789ab',
] as const;

export const registrationOf = (fields: Partial<AgentRegistration> = {}): AgentRegistration => ({
  namespace: 'default',
  name: 'ada',
  role: 'coder',
  version: '1.0.0',
  topics: { publishes: [], subscribes: [] },
  capabilities: [],
  labels: {},
  ...fields,
});

export const agentOf = (fields: Partial<Agent> = {}): Agent => ({
  id: '019adf00-0000-7000-8000-000000000001',
  namespace: 'default',
  name: 'ada',
  role: 'coder',
  version: '1.0.0',
  description: null,
  healthUrl: null,
  topics: { publishes: [], subscribes: [] },
  capabilities: [],
  labels: {},
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
  ...fields,
});

/** As it is decided: without a lease of its own, and without the times that the commit assigns. */
export const documentOf = (fields: Partial<AgentDocument> = {}): AgentDocument => ({
  ...agentOf(),
  status: { ...agentOf().status, activitySince: '' },
  leaseMs: null,
  ...fields,
});

const token = fc.constantFrom('a', 'b');
/** Short topics often match; long ones reach past what is indexed. */
const lengths = fc.oneof(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 7, max: 16 }));
const tokensOf = (kind: fc.Arbitrary<string>) =>
  lengths.chain((length) => fc.array(kind, { minLength: length, maxLength: length }));

export const topics = tokensOf(token).map((tokens) => tokens.join('.'));
export const patterns = fc
  .tuple(tokensOf(fc.oneof(token, fc.constant('*'))), fc.boolean())
  .map(([tokens, open]) => (open ? [...tokens.slice(0, -1), '>'] : tokens).join('.'));

const declared = fc.uniqueArray(patterns, { maxLength: 4 });
const capabilities: fc.Arbitrary<Capability[]> = fc.uniqueArray(
  fc.record(
    { id: fc.constantFrom('plan', 'code', 'test'), description: fc.constantFrom('quick', 'thorough') },
    { requiredKeys: ['id'] },
  ),
  { selector: ({ id }) => id },
);
const labels = fc.dictionary(fc.constantFrom('team', 'zone', 'constructor'), fc.constantFrom('', 'a', 'b', 'a=b'), {
  maxKeys: 3,
});
const roles = fc.constantFrom('coder', 'planner');

const spec = {
  version: fc.constantFrom('1.0.0', '1.1.0'),
  description: fc.constantFrom(null, 'writes code', 'reads code'),
  healthUrl: fc.constantFrom(null, 'http://10.0.0.1/health'),
  topics: fc.record({ publishes: declared, subscribes: declared }),
  capabilities,
  labels,
};

export const registrations: fc.Arbitrary<AgentRegistration> = fc.record({
  namespace: fc.constant('default'),
  name: fc.constant('ada'),
  role: roles,
  ...spec,
  incarnation: fc.option(fc.constantFrom(...INCARNATIONS)),
});

export const updates: fc.Arbitrary<AgentUpdate> = fc.record(
  { ...spec, namespace: fc.constantFrom('default', 'other'), name: fc.constantFrom('ada', 'eve'), role: roles },
  { requiredKeys: [] },
);

export const agents: fc.Arbitrary<Agent> = fc.record({
  ...Object.fromEntries(Object.entries(agentOf()).map(([key, value]) => [key, fc.constant(value)])),
  role: roles,
  ...spec,
  incarnation: fc.option(fc.constantFrom(...INCARNATIONS)),
  status: fc.record({
    health: fc.constantFrom('unknown', 'healthy', 'unhealthy'),
    activity: fc.constantFrom('ready', 'busy', 'draining', 'paused'),
    circuit: fc.constantFrom('closed', 'open', 'half_open'),
    consecutiveFailures: fc.nat(5),
    lastSeenAt: fc.constant(null),
    reason: fc.constant(null),
  }),
}) as fc.Arbitrary<Agent>;

export const filters: fc.Arbitrary<AgentFilter> = fc.record(
  {
    role: roles,
    capability: fc.constantFrom('plan', 'code', 'test', 'none'),
    topic: topics,
    health: fc.constantFrom('unknown', 'healthy'),
    circuit: fc.constantFrom('closed', 'open'),
    labels,
  },
  { requiredKeys: [] },
);
