// What the policy in force allows a caller of the bus. Policies are for agents; operators are limited by their token alone.
import { type Access, aclDenied } from '../policies/access.ts';
import type { Policies } from '../policies/policies.ts';
import type { BusCaller } from './caller.ts';

export class CallerAccess {
  readonly #policies: Pick<Policies, 'accessOf'>;

  constructor(policies: Pick<Policies, 'accessOf'>) {
    this.#policies = policies;
  }

  /** Null for operators, whom no policy limits. */
  of(caller: BusCaller, namespace: string): Access | null | Promise<Access> {
    return caller.kind === 'agent' ? this.#policies.accessOf(namespace, caller.role, caller.name) : null;
  }

  /** The topics that the policy hides from the caller. ACL_DENIED when it does not allow one of the patterns. */
  async hiddenTopics(caller: BusCaller, namespace: string, patterns: readonly string[]): Promise<readonly string[]> {
    const access = await this.of(caller, namespace);
    if (access === null) return [];
    for (const pattern of patterns) {
      const decision = access.subscribe(pattern);
      if (!decision.allowed) throw aclDenied(access, 'subscribe', pattern, decision);
    }
    return access.hidden;
  }

  /** The topics of all events that the caller may read: those that `patterns` match and `hidden` does not. */
  async readableTopics(
    caller: BusCaller,
    namespace: string,
  ): Promise<{ patterns: readonly string[]; hidden: readonly string[] }> {
    const access = await this.of(caller, namespace);
    return access === null ? { patterns: ['>'], hidden: [] } : { patterns: access.readable, hidden: access.hidden };
  }

  /** ACL_DENIED unless the caller may receive every event that the patterns match. */
  async assertMayReceiveAll(caller: BusCaller, namespace: string, patterns: readonly string[]): Promise<void> {
    const access = await this.of(caller, namespace);
    if (access === null) return;
    for (const pattern of patterns) {
      const decision = access.consume(pattern);
      if (!decision.allowed) throw aclDenied(access, 'subscribe', pattern, decision);
    }
  }
}
