// What each kind of token lets its holder do: every kind against every right.
import { SwarmError } from '@hypercode/contracts';
import { describe, expect, test } from 'vitest';
import { assertAdmin, assertMayChange, assertMayRead, assertMayRegister, type Principal } from './principal.ts';

const common = { id: 'id', name: 'ada' };
const principals = {
  admin: { kind: 'admin', ...common },
  viewer: { kind: 'viewer', ...common, namespace: 'here' },
  'viewer of everything': { kind: 'viewer', ...common, namespace: null },
  'join, all roles': { kind: 'join', ...common, namespace: 'here', roles: '*', limited: false },
  'join, one role': { kind: 'join', ...common, namespace: 'here', roles: ['coder'], limited: true },
  agent: {
    kind: 'agent',
    ...common,
    namespace: 'here',
    agentId: 'id',
    incarnation: null,
    role: 'coder',
  },
} satisfies Record<string, Principal>;

const rights: Record<string, (principal: Principal) => void> = {
  'read here': (principal) => assertMayRead(principal, 'here'),
  'read elsewhere': (principal) => assertMayRead(principal, 'elsewhere'),
  'register a coder here': (principal) => assertMayRegister(principal, 'here', 'coder'),
  'register a planner here': (principal) => assertMayRegister(principal, 'here', 'planner'),
  'register a coder elsewhere': (principal) => assertMayRegister(principal, 'elsewhere', 'coder'),
  'change ada here': (principal) => assertMayChange(principal, 'here', 'ada'),
  'change eve here': (principal) => assertMayChange(principal, 'here', 'eve'),
  'change ada elsewhere': (principal) => assertMayChange(principal, 'elsewhere', 'ada'),
  administer: assertAdmin,
};

const granted: Record<keyof typeof principals, string[]> = {
  admin: Object.keys(rights),
  viewer: ['read here'],
  'viewer of everything': ['read here', 'read elsewhere'],
  'join, all roles': ['register a coder here', 'register a planner here'],
  'join, one role': ['register a coder here'],
  agent: ['read here', 'change ada here'],
};

describe.each(Object.entries(principals))('%s', (name, principal) => {
  test.each(Object.entries(rights))('%s', (right, assert) => {
    let code: string | null = null;
    try {
      assert(principal);
    } catch (error) {
      code = SwarmError.from(error).code;
    }
    const expected = granted[name as keyof typeof principals].includes(right) ? null : 'FORBIDDEN';
    expect(code).toBe(expected);
  });
});
