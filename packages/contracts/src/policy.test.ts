// Which capabilities a policy lets a role offer.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CapabilityPattern, matchesCapability, mayOffer, type PolicyRules, RolePolicy } from './policy.ts';

const NOTHING: RolePolicy = { publish: [], subscribe: [] };

describe('a capability pattern', () => {
  test.each(['*', 'code', 'code.*', 'code-*', 'c*', 'Code_Review.v2', '9'])('%s is one', (pattern) => {
    expect(CapabilityPattern.safeParse(pattern).success).toBe(true);
  });

  test.each(['', '**', '*code', 'co*de', 'code.**', '.code', 'co de', 'code>', 'c'.repeat(130)])(
    '"%s" is none',
    (pattern) => {
      expect(CapabilityPattern.safeParse(pattern).success).toBe(false);
    },
  );

  test.each([
    ['*', 'code', true],
    ['code', 'code', true],
    ['code', 'code.review', false],
    ['code', 'Code', false],
    ['code.*', 'code.review', true],
    ['code.*', 'code', false],
    ['code.*', 'codex', false],
    ['code*', 'code', true],
  ])('%s stands for %s: %s', (pattern, id, expected) => {
    expect(matchesCapability(pattern, id)).toBe(expected);
  });

  test('a pattern that ends in "*" stands for exactly the ids that begin as it does', () => {
    const ids = fc.stringMatching(/^[a-c][a-c.-]{0,6}$/);
    fc.assert(
      fc.property(ids, ids, (start, id) => {
        expect(matchesCapability(`${start}*`, id)).toBe(id.startsWith(start));
        expect(matchesCapability(start, id)).toBe(id === start);
      }),
    );
  });
});

describe('mayOffer', () => {
  const policy: PolicyRules = {
    roles: { coder: { ...NOTHING, offers: ['code.*', 'build'] }, guest: { ...NOTHING, offers: [] }, free: NOTHING },
    default: { ...NOTHING, offers: ['chat'] },
  };

  test.each([
    ['coder', 'code.review', true],
    ['coder', 'build', true],
    ['coder', 'deploy', false],
    ['guest', 'code.review', false],
    ['free', 'deploy', true],
    ['unlisted', 'chat', true],
    ['unlisted', 'deploy', false],
    ['constructor', 'deploy', false],
  ])('role %s and capability %s: %s', (role, capability, expected) => {
    expect(mayOffer(policy, role, capability)).toBe(expected);
  });

  test('the rules of a role keep their offers', () => {
    expect(RolePolicy.parse({ ...NOTHING, offers: ['code.*'] }).offers).toEqual(['code.*']);
    expect(RolePolicy.parse(NOTHING).offers).toBeUndefined();
  });
});
