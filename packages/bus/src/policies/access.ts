// What one agent may do under one policy: pure, with the decisions that are asked for again and again kept.
import {
  covers,
  defaultConsume,
  intersects,
  matches,
  matchesGroup,
  type RolePolicy,
  SwarmError,
  withName,
} from '@hypercode/contracts';

/** What was decided, and the pattern that decided it as the policy has it; null when none matched. */
export interface Decision {
  readonly allowed: boolean;
  readonly rule: string | null;
}

interface Rule {
  /** As the policy has it. */
  readonly text: string;
  /** For this agent. */
  readonly pattern: string;
}

/** The role or the agent that a group is named after; `none` leaves the decision to the patterns of the role. */
export type GroupOwner = { readonly kind: 'role' | 'agent'; readonly name: string } | { readonly kind: 'none' };

const DENIED: Decision = { allowed: false, rule: null };
/** Topics of which an agent's decisions are kept; when there are more, all of its are forgotten and decided again. */
const MAX_OF_AGENT = 2000;
/** Decisions kept for all agents: some tens of MB, and less than a hundred if every topic is as long as can be. */
const MAX_OF_ALL = 200_000;

/** What agents may publish, kept within one bound for all of them: when there is more, everything is forgotten and decided again. */
export class Decisions {
  readonly #kept = new Set<Map<string, Decision>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Keeps a new decision among `own`, those of one agent. */
  keep(own: Map<string, Decision>, topic: string, decision: Decision): void {
    if (this.#size >= MAX_OF_ALL) {
      for (const decisions of this.#kept) decisions.clear();
      this.#kept.clear();
      this.#size = 0;
    }
    if (own.size >= MAX_OF_AGENT) {
      this.#size -= own.size;
      own.clear();
    }
    this.#kept.add(own);
    own.set(topic, decision);
    this.#size += 1;
  }
}

export class Access {
  readonly role: string;
  readonly name: string;
  readonly #consume: readonly string[];
  readonly #allowPublish: readonly Rule[];
  readonly #denyPublish: readonly Rule[];
  readonly #allowSubscribe: readonly Rule[];
  readonly #denySubscribe: readonly Rule[];
  readonly #decisions: Decisions;
  readonly #publishes = new Map<string, Decision>();

  constructor(role: string, name: string, policy: RolePolicy, decisions = new Decisions()) {
    const rules = (patterns: readonly string[] = []): Rule[] =>
      patterns.map((text) => ({ text, pattern: withName(text, name) }));
    this.role = role;
    this.name = name;
    this.#consume = policy.consume ?? defaultConsume(policy);
    this.#decisions = decisions;
    this.#allowPublish = rules(policy.publish);
    this.#denyPublish = rules(policy.denyPublish);
    this.#allowSubscribe = rules(policy.subscribe);
    this.#denySubscribe = rules(policy.denySubscribe);
  }

  /** What the agent's subscriptions must not show, whatever they ask for. */
  get hidden(): readonly string[] {
    return this.#denySubscribe.map(({ pattern }) => pattern);
  }

  /** What the agent may subscribe to, but for what is hidden. */
  get readable(): readonly string[] {
    return this.#allowSubscribe.map(({ pattern }) => pattern);
  }

  /** Whether the agent may publish to `topic`. */
  publish(topic: string): Decision {
    let decision = this.#publishes.get(topic);
    if (decision === undefined) {
      decision = decide(
        this.#denyPublish.find(({ pattern }) => matches(pattern, topic)),
        this.#allowPublish.find(({ pattern }) => matches(pattern, topic)),
      );
      this.#decisions.keep(this.#publishes, topic, decision);
    }
    return decision;
  }

  /** The deny rules, as the policy has them, that take something of `pattern`. */
  denials(action: 'publish' | 'subscribe', pattern: string): string[] {
    const rules = action === 'publish' ? this.#denyPublish : this.#denySubscribe;
    return rules.filter((rule) => intersects(rule.pattern, pattern)).map(({ text }) => text);
  }

  /** Whether the agent may publish to every topic that `pattern` matches, but for what a deny rule takes of it. */
  publishes(pattern: string): Decision {
    return decide(
      this.#denyPublish.find((rule) => covers(rule.pattern, pattern)),
      this.#allowPublish.find((rule) => covers(rule.pattern, pattern)),
    );
  }

  /**
   * Whether the agent may subscribe to `pattern`: one allow rule covers all of it, and no deny rule excludes all of it. What a
   * deny rule excludes of it is left out of the stream.
   */
  subscribe(pattern: string): Decision {
    return decide(
      this.#denySubscribe.find((rule) => covers(rule.pattern, pattern)),
      this.#allowSubscribe.find((rule) => covers(rule.pattern, pattern)),
    );
  }

  /** Whether the agent may consume `group`, which belongs to `owner`. */
  group(group: string, owner: GroupOwner): Decision {
    if (owner.kind === 'role') return { allowed: owner.name === this.role, rule: `group of role "${owner.name}"` };
    if (owner.kind === 'agent') return { allowed: owner.name === this.name, rule: `group of agent "${owner.name}"` };
    const rule = this.#consume.find((pattern) => matchesGroup(pattern, group, this));
    return rule === undefined ? DENIED : { allowed: true, rule };
  }

  /** As `subscribe`, for a group that shares its events: no member can be spared some, so any overlap with a deny rule denies. */
  consume(pattern: string): Decision {
    return decide(
      this.#denySubscribe.find((rule) => intersects(rule.pattern, pattern)),
      this.#allowSubscribe.find((rule) => covers(rule.pattern, pattern)),
    );
  }
}

const decide = (deny: Rule | undefined, allow: Rule | undefined): Decision => {
  if (deny !== undefined) return { allowed: false, rule: deny.text };
  return allow === undefined ? DENIED : { allowed: true, rule: allow.text };
};

/** ACL_DENIED with everything that a person needs to see why. */
export function aclDenied(
  access: Access,
  action: 'publish' | 'subscribe',
  topic: string,
  { rule }: Decision,
): SwarmError<'ACL_DENIED'> {
  const { role } = access;
  return new SwarmError('ACL_DENIED', `role "${role}" may not ${action} "${topic}": ${becauseOf(rule, action)}`, {
    details: { role, action, topic, rule },
  });
}

const becauseOf = (rule: string | null, action: 'publish' | 'subscribe'): string =>
  rule === null ? `no ${action} rule allows it` : `the rule "${rule}" denies it`;

/** ACL_DENIED for a group, with the rule that decided. */
export function groupDenied(access: Access, group: string, decision: Decision): SwarmError<'ACL_DENIED'> {
  const { role } = access;
  return new SwarmError('ACL_DENIED', groupVerdict(access, group, decision), {
    details: { role, action: 'consume', group, rule: decision.rule },
  });
}

/** A decision about a group in words. */
export function groupVerdict({ role }: Access, group: string, { allowed, rule }: Decision): string {
  const verdict = `role "${role}" ${allowed ? 'may' : 'may not'} consume group "${group}"`;
  if (rule === null) return `${verdict}: no consume rule allows it`;
  // Patterns have no spaces.
  return rule.includes(' ') ? `${verdict}: it is the ${rule}` : `${verdict}: the rule "${rule}" allows it`;
}

/** ACL_DENIED for a capability. */
export const offerDenied = (role: string, capability: string): SwarmError<'ACL_DENIED'> =>
  new SwarmError('ACL_DENIED', `role "${role}" may not offer capability "${capability}": no offers rule allows it`, {
    details: { role, action: 'offer', capability, rule: null },
  });
