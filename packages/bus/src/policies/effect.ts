// Who loses what when one policy takes the place of another: pure.
import { type Agent, LIMITS, mayOffer, type PolicyEffect, type PolicyRules, rulesOf } from '@hypercode/contracts';
import { Access, Decisions } from './access.ts';
import type { OpenStream } from './open-streams.ts';

/** What of an agent a change of policy can take from. */
export type DeclaredAgent = Pick<Agent, 'name' | 'role' | 'topics' | 'capabilities'>;

/** Compares what each agent and each stream may do under the two policies. */
export class Comparison {
  readonly #before: PolicyRules;
  readonly #after: PolicyRules;
  /** Of each role that was asked for, whether its rules differ. */
  readonly #differing = new Map<string, boolean>();
  readonly #decisions = new Decisions();
  readonly #agents: PolicyEffect['agents'] = { total: 0, list: [] };
  readonly #streams: PolicyEffect['streams'] = { total: 0, list: [] };

  constructor(before: PolicyRules, after: PolicyRules) {
    this.#before = before;
    this.#after = after;
  }

  addAgents(agents: Iterable<DeclaredAgent>): void {
    for (const { name, role, topics, capabilities } of agents) {
      if (!this.#differs(role)) continue;
      const [before, after] = this.#accessesOf(role, name);
      const publish = topics.publishes.filter(
        (topic) =>
          before.publishes(topic).allowed &&
          (!after.publishes(topic).allowed || isDeniedMore('publish', topic, before, after)),
      );
      const subscribe = topics.subscribes.filter(
        (topic) =>
          before.subscribe(topic).allowed &&
          (!after.subscribe(topic).allowed || isDeniedMore('subscribe', topic, before, after)),
      );
      const offers = capabilities
        .map(({ id }) => id)
        .filter((id) => mayOffer(this.#before, role, id) && !mayOffer(this.#after, role, id));
      if (publish.length + subscribe.length + offers.length === 0) continue;
      note(this.#agents, { name, role, publish, subscribe, offers });
    }
  }

  addStreams(streams: Iterable<OpenStream>): void {
    for (const stream of streams) {
      const { name, role, kind, topics, group } = stream;
      const [, after] = this.#accessesOf(role, name);
      const keepsTopics = topics.every((topic) => after[kind](topic).allowed);
      if (!keepsTopics || (group !== null && !this.#keepsGroup(after, group))) note(this.#streams, stream);
    }
  }

  effect(complete: boolean): PolicyEffect {
    return { agents: this.#agents, streams: this.#streams, complete };
  }

  /** The stream is open, so a group that no role has is the caller's own, or one that patterns allow. */
  #keepsGroup(after: Access, group: string): boolean {
    if (Object.hasOwn(this.#after.roles, group)) return after.group(group, { kind: 'role', name: group }).allowed;
    return group === after.name || after.group(group, { kind: 'none' }).allowed;
  }

  #accessesOf(role: string, name: string): [before: Access, after: Access] {
    return [
      new Access(role, name, rulesOf(this.#before, role), this.#decisions),
      new Access(role, name, rulesOf(this.#after, role), this.#decisions),
    ];
  }

  #differs(role: string): boolean {
    let differs = this.#differing.get(role);
    if (differs === undefined) {
      differs = JSON.stringify(rulesOf(this.#before, role)) !== JSON.stringify(rulesOf(this.#after, role));
      this.#differing.set(role, differs);
    }
    return differs;
  }
}

/** Whether a new deny rule takes something of the pattern. */
function isDeniedMore(action: 'publish' | 'subscribe', topic: string, before: Access, after: Access): boolean {
  const denied = new Set(before.denials(action, topic));
  return after.denials(action, topic).some((rule) => !denied.has(rule));
}

function note<Loss>(losses: { total: number; list: Loss[] }, loss: Loss): void {
  losses.total += 1;
  if (losses.list.length < LIMITS.policyLosses) losses.list.push(loss);
}
