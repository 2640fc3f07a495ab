// The groups of roles whose rules name none: in a policy that is put now, and in one that was stored before roles had such rules.
import { defaultConsume, type PolicyRules, type RolePolicy } from '@hypercode/contracts';

/** Makes the default explicit, so that a policy that is stored from now on names the groups of each role. */
export const withDefaultConsume = (rules: PolicyRules): PolicyRules => completed(rules, defaultConsume);

/** A stored policy. A role without `consume` was written before groups were protected: it keeps all of them. */
export const withEveryGroup = (rules: PolicyRules): PolicyRules => completed(rules, () => ['*']);

function completed({ roles, default: others }: PolicyRules, consumeOf: (role: RolePolicy) => string[]): PolicyRules {
  const complete = (role: RolePolicy): RolePolicy => ({ ...role, consume: role.consume ?? consumeOf(role) });
  return {
    roles: Object.fromEntries(Object.entries(roles).map(([name, role]) => [name, complete(role)])),
    default: complete(others),
  };
}
