// Who may consume a group: those whom it is named after, and otherwise those whose role's patterns name it.
import type { PolicyExplanation } from '@hypercode/contracts';
import type { BusCaller } from '../admission/caller.ts';
import { type Access, type Decision, groupDenied, groupVerdict } from '../policies/access.ts';
import type { Policies, PolicyAgent } from '../policies/policies.ts';
import type { GroupOwners } from './group-owners.ts';

export interface GroupRightsOptions {
  policies: Pick<Policies, 'accessOf' | 'get'>;
  owners: Pick<GroupOwners, 'isAgent'>;
}

export class GroupRights {
  readonly #options: GroupRightsOptions;

  constructor(options: GroupRightsOptions) {
    this.#options = options;
  }

  /** ACL_DENIED unless the caller may consume the group. No policy limits operators here. */
  async assertOwn(caller: BusCaller, namespace: string, group: string): Promise<void> {
    if (caller.kind === 'operator') return;
    const access = await this.#options.policies.accessOf(namespace, caller.role, caller.name);
    const decision = await this.#decide(access, namespace, group);
    if (!decision.allowed) throw groupDenied(access, group, decision);
  }

  /** Those of `groups` that the caller may see: an agent what it may consume, operators all. */
  async visible<T extends { readonly group: string }>(
    caller: BusCaller,
    namespace: string,
    groups: readonly T[],
  ): Promise<T[]> {
    if (caller.kind === 'operator') return [...groups];
    const access = await this.#options.policies.accessOf(namespace, caller.role, caller.name);
    const decisions = await Promise.all(groups.map(({ group }) => this.#decide(access, namespace, group)));
    return groups.filter((_group, index) => decisions[index]?.allowed);
  }

  async explain(namespace: string, { name, role, circuit }: PolicyAgent, group: string): Promise<PolicyExplanation> {
    const access = await this.#options.policies.accessOf(namespace, role, name);
    const { allowed, rule } = await this.#decide(access, namespace, group);
    return { allowed, rule, circuit, because: groupVerdict(access, group, { allowed, rule }) };
  }

  async #decide(access: Access, namespace: string, group: string): Promise<Decision> {
    const { policies, owners } = this.#options;
    const { roles } = await policies.get(namespace);
    if (Object.hasOwn(roles, group)) return access.group(group, { kind: 'role', name: group });
    // The registry is asked only when its answer decides: never for the group of an agent itself.
    if (group === access.name) return access.group(group, { kind: 'agent', name: group });
    const byPatterns = access.group(group, { kind: 'none' });
    if (!byPatterns.allowed) return byPatterns;
    if (!(await owners.isAgent(namespace, group))) return byPatterns;
    return access.group(group, { kind: 'agent', name: group });
  }
}
