// An input for every procedure, so that tests which walk the declaration cover a new one.
import type { ApiInput, ProcedureName } from '@hypercode/contracts';
import { randomUUID } from 'node:crypto';

type Input<Name extends ProcedureName> = Omit<ApiInput<Name>, 'namespace'>;

export const TOPICS = ['rights.>'];
const GROUP = { group: 'crew' };
const DELIVERIES = { ...GROUP, deliveryIds: ['lost-5-5.1.1'] };
export const freshName = (): string => `a-${randomUUID().slice(0, 13)}`;

/** An input that every procedure takes; a new procedure needs one. `name` is an agent: the caller itself, if it is one. */
export const INPUTS: { readonly [Name in ProcedureName]: (name: string) => Input<Name> } = {
  whoami: () => ({}),
  'registry.register': () => ({ name: freshName(), role: 'worker', version: '1.0.0' }),
  'registry.query': () => ({}),
  'registry.watch': () => ({}),
  'registry.get': (name) => ({ name }),
  'registry.update': (name) => ({ name, set: { description: 'new' } }),
  'registry.deregister': (name) => ({ name }),
  'registry.history': (name) => ({ name }),
  'registry.heartbeat': () => ({}),
  'sessions.code': () => ({}),
  'bus.publish': () => ({ topic: 'rights.tried', data: 1 }),
  'bus.publishMany': () => ({ events: [{ topic: 'rights.tried', data: 1 }] }),
  'bus.read': () => ({ topics: TOPICS }),
  'bus.find': () => ({ id: randomUUID() }),
  'bus.trace': () => ({ id: randomUUID() }),
  'bus.preview': (name) => ({ topic: 'rights.tried', name }),
  'bus.subscribe': () => ({ topics: TOPICS }),
  'bus.consume': () => ({ group: freshName(), topics: TOPICS, from: 'earliest' }),
  'bus.claim': () => ({ group: freshName(), topics: TOPICS }),
  'bus.ack': () => DELIVERIES,
  'bus.nack': () => DELIVERIES,
  'bus.extend': () => ({ ...DELIVERIES, byMs: 1000 }),
  'bus.groups': () => ({}),
  'bus.deadLetters': () => GROUP,
  'bus.redrive': () => ({ ...GROUP, all: true }),
  'bus.discard': () => ({ ...GROUP, all: true }),
  'bus.topics': () => ({}),
  'goals.submit': () => ({ title: 'rights', steps: [{ id: 'a', title: 'a', capability: 'work' }] }),
  'goals.cancel': () => ({ goalId: randomUUID() }),
  'plans.list': () => ({}),
  'plans.get': () => ({ planId: randomUUID() }),
  'plans.watch': () => ({}),
  'plans.retry': () => ({ planId: randomUUID() }),
  'questions.list': () => ({}),
  'questions.answer': (name) => ({ agent: name, questionId: randomUUID(), answer: 1 }),
  'groups.get': () => GROUP,
  'groups.pause': () => GROUP,
  'groups.resume': () => GROUP,
  'groups.seek': () => ({ ...GROUP, to: 'earliest' }),
  'groups.update': () => ({ ...GROUP, set: { maxDeliveries: 7 } }),
  'groups.delete': () => ({ group: 'absent' }),
  'policy.get': () => ({}),
  'policy.put': () => ({ policy: OPEN_POLICY }),
  'policy.putRole': () => ({ role: freshName(), rules: { publish: [], subscribe: [] } }),
  'policy.removeRole': () => ({ role: 'absent' }),
  'policy.history': () => ({}),
  'policy.explain': (name) => ({ name, action: 'publish', topic: 'rights.tried' }),
  'circuit.trip': () => ({ name: 'absent' }),
  'circuit.reset': () => ({ name: 'absent' }),
  'tokens.create': () => ({ kind: 'viewer', name: freshName() }),
  'tokens.list': () => ({}),
  'tokens.revoke': () => ({ id: randomUUID() }),
  'audit.list': () => ({}),
  'cluster.status': () => ({}),
  'namespaces.list': () => ({}),
  'stats.series': () => ({ metrics: ['published'] }),
  'stats.traffic': () => ({}),
  'swarm.overview': () => ({}),
};
export const OPEN_POLICY = { roles: {}, default: { publish: ['>'], subscribe: ['>'], consume: ['*'] } };
