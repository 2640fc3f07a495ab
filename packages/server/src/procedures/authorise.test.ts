// What each kind of token lets its holder do: every kind against every right.
import { type ProcedureName, procedures, SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import { describe, expect, test } from 'vitest';
import { assertMayCall, assertReaches, type Reached } from './authorise.ts';

const common = { id: 'id', name: 'ada' };
const principals = {
  admin: { kind: 'admin', ...common },
  viewer: { kind: 'viewer', ...common, namespace: 'here' },
  'viewer of everything': { kind: 'viewer', ...common, namespace: null },
  'join, all roles': { kind: 'join', ...common, namespace: 'here', roles: '*', names: null, limited: false },
  'join, one role': { kind: 'join', ...common, namespace: 'here', roles: ['coder'], names: null, limited: true },
  'join, names of ci': {
    kind: 'join',
    ...common,
    namespace: 'here',
    roles: '*',
    names: ['ci-*', 'ada'],
    limited: false,
  },
  agent: {
    kind: 'agent',
    ...common,
    namespace: 'here',
    agentId: 'id',
    incarnation: null,
    role: 'coder',
  },
} satisfies Record<string, Principal>;

const here = { namespace: 'here', name: 'ada' };
const elsewhere = { namespace: 'elsewhere', name: 'ada' };
const calls: Record<string, [ProcedureName, Reached]> = {
  'read here': ['registry.get', here],
  'read elsewhere': ['registry.get', elsewhere],
  'register a coder here': ['registry.register', { ...here, role: 'coder' }],
  'register a planner here': ['registry.register', { ...here, role: 'planner' }],
  'register a coder elsewhere': ['registry.register', { ...elsewhere, role: 'coder' }],
  'register ci-a here': ['registry.register', { namespace: 'here', name: 'ci-a', role: 'coder' }],
  'register ci here': ['registry.register', { namespace: 'here', name: 'ci', role: 'coder' }],
  'change ada here': ['registry.update', here],
  'change eve here': ['registry.update', { ...here, name: 'eve' }],
  'change ada elsewhere': ['registry.update', elsewhere],
  'send a heartbeat here': ['registry.heartbeat', { namespace: 'here' }],
  'send a heartbeat elsewhere': ['registry.heartbeat', { namespace: 'elsewhere' }],
  'publish here': ['bus.publish', here],
  'trip a circuit here': ['circuit.trip', here],
  'trip a circuit elsewhere': ['circuit.trip', elsewhere],
  administer: ['policy.put', here],
};

const granted: Record<keyof typeof principals, string[]> = {
  admin: Object.keys(calls).filter((call) => !call.startsWith('send a heartbeat')),
  viewer: ['read here'],
  'viewer of everything': ['read here', 'read elsewhere'],
  'join, all roles': ['register a coder here', 'register a planner here', 'register ci-a here', 'register ci here'],
  'join, one role': ['register a coder here', 'register ci-a here', 'register ci here'],
  'join, names of ci': ['register a coder here', 'register a planner here', 'register ci-a here'],
  agent: ['read here', 'change ada here', 'send a heartbeat here', 'publish here'],
};

const rightsOf = new Map(procedures.map(([name, { rights }]) => [name, rights]));

describe.each(Object.entries(principals))('%s', (name, principal) => {
  test.each(Object.entries(calls))('%s', (call, [procedure, input]) => {
    const rights = rightsOf.get(procedure) ?? {};
    let code: string | null = null;
    try {
      assertMayCall(principal, rights);
      assertReaches(principal, rights, input);
    } catch (error) {
      code = SwarmError.from(error).code;
    }
    const expected = granted[name as keyof typeof principals].includes(call) ? null : 'FORBIDDEN';
    expect(code).toBe(expected);
  });
});
