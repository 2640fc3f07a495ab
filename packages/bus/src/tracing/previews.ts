// What would become of an event on a topic. Nothing is published.
import { type CircuitState, type PreviewResult, SYSTEM_TOPIC } from '@hypercode/contracts';
import type { AgentCaller, BusCaller } from '../admission/caller.ts';
import type { GroupRights } from '../groups/group-rights.ts';
import type { Access } from '../policies/access.ts';
import type { Policies, PolicyAgent } from '../policies/policies.ts';
import { isReserved, RESERVED_RULE } from '../policies/reserved-topics.ts';
import type { EventLog } from '../store/event-log.ts';
import { MAX_SILENT } from './mandatory-events.ts';
import type { DeclaringAgent, Receivers, StreamCount } from './receivers.ts';
import { similarTopics } from './similar-topics.ts';

export interface PreviewsOptions {
  readonly receivers: Receivers;
  readonly rights: Pick<GroupRights, 'visible'>;
  readonly policies: Pick<Policies, 'accessOf'>;
  readonly log: Pick<EventLog, 'topics'>;
  /** Agents that declare that they subscribe to a topic. UNAVAILABLE. */
  readonly declaring: (namespace: string, topic: string) => Promise<readonly DeclaringAgent[]>;
}

export interface PreviewRequest {
  readonly namespace: string;
  readonly topic: string;
  /** The agent that would publish; null: the caller itself, an operator. */
  readonly publisher: PolicyAgent | null;
}

/** `because` of a refusal; what is let through is explained by who receives it. */
type Admission = Pick<PreviewResult, 'allowed' | 'rule' | 'circuit'> & Partial<Pick<PreviewResult, 'because'>>;

/** Topics in use that are compared with the one that is asked for: so many from the first on, and so many around it. */
const COMPARED_TOPICS = 1000;

export class Previews {
  readonly #options: PreviewsOptions;

  constructor(options: PreviewsOptions) {
    this.#options = options;
  }

  /** UNAVAILABLE. */
  async preview(caller: BusCaller, { namespace, topic, publisher }: PreviewRequest): Promise<PreviewResult> {
    const { receivers, rights, policies } = this.#options;
    const access = publisher === null ? null : await policies.accessOf(namespace, publisher.role, publisher.name);
    const admission =
      publisher === null || access === null ? ofOperator(caller, topic) : ofAgent(publisher, access, topic);
    const [groups, streams] = await Promise.all([
      receivers.groups(namespace, topic),
      receivers.streams(namespace, topic),
    ]);
    const seen = await rights.visible(
      caller,
      namespace,
      groups.map((group) => ({ group })),
    );
    const shown = seen.map(({ group }) => group).toSorted();
    const silent = await this.#silent(namespace, topic, groups);
    const isTaken = groups.length > 0 || streams.agents + streams.operators > 0;
    const similar = isTaken ? [] : await this.#similar(caller, access, { namespace, topic });
    const reached: Reached = { groups: groups.length, shown, streams, silent, similar };
    return {
      ...admission,
      because: admission.because ?? sentenceOf(topic, admission.rule, reached),
      groups: shown,
      otherGroups: groups.length - shown.length,
      streams: streams.agents + streams.operators,
      silent,
      similar,
    };
  }

  /** An agent that may consume a group which takes the topic is not silent: the group keeps the event for it. */
  async #silent(namespace: string, topic: string, groups: readonly string[]): Promise<string[]> {
    const { receivers, rights } = this.#options;
    const declared = await this.#options.declaring(namespace, topic);
    if (declared.length === 0) return [];
    const silent: string[] = [];
    for (const { name, role } of await receivers.withoutStream(namespace, topic, declared)) {
      const agent: AgentCaller = { kind: 'agent', agentId: '', namespace, name, role };
      const mayConsume = await rights.visible(
        agent,
        namespace,
        groups.map((group) => ({ group })),
      );
      if (mayConsume.length === 0) silent.push(name);
    }
    return silent.toSorted().slice(0, MAX_SILENT);
  }

  /** Topics in use and those of groups; to an agent, those that it may publish or receive. */
  async #similar(
    caller: BusCaller,
    access: Access | null,
    { namespace, topic }: { namespace: string; topic: string },
  ): Promise<string[]> {
    const { log, receivers } = this.#options;
    const around = topic.split('.')[0] ?? topic;
    const [first, near, groups] = await Promise.all([
      log.topics(namespace, { after: null, limit: COMPARED_TOPICS }),
      log.topics(namespace, { after: around.slice(0, -1) || null, limit: COMPARED_TOPICS }),
      receivers.allGroups(namespace),
    ]);
    const inUse = [...first, ...near].map(({ topic: used }) => used);
    const known = [...inUse, ...groups.flatMap(({ topics }) => topics)];
    if (caller.kind === 'operator' || access === null) return similarTopics(topic, known);
    const mayKnow = (pattern: string) => access.publishes(pattern).allowed || access.subscribe(pattern).allowed;
    return similarTopics(topic, known.filter(mayKnow));
  }
}

function ofOperator(caller: BusCaller, topic: string): Admission {
  const refused = reserved(topic, null);
  if (refused !== null) return refused;
  if (caller.kind === 'operator' && caller.readOnly) {
    return { allowed: false, rule: null, circuit: null, because: 'A viewer token may not publish.' };
  }
  return { allowed: true, rule: null, circuit: null };
}

function ofAgent({ name, role, circuit }: PolicyAgent, access: Access, topic: string): Admission {
  const refused = reserved(topic, circuit);
  if (refused !== null) return refused;
  const { allowed, rule } = access.publish(topic);
  const who = `Agent "${name}" (role "${role}")`;
  if (!allowed) {
    const why = rule === null ? 'no publish rule of the policy matches it' : `the rule "${rule}" denies it`;
    return { allowed, rule, circuit, because: `${who} may not publish "${topic}": ${why}.` };
  }
  if (circuit !== 'closed') {
    const because = `${who} is refused because its circuit is ${circuit.replace('_', ' ')}; the rule "${rule}" would allow "${topic}".`;
    return { allowed: false, rule, circuit, because };
  }
  return { allowed, rule, circuit };
}

function reserved(topic: string, circuit: CircuitState | null): Admission | null {
  if (!isReserved(topic)) return null;
  const because = `Only the core may publish topics that begin with "${SYSTEM_TOPIC}.".`;
  return { allowed: false, rule: RESERVED_RULE, circuit, because };
}

interface Reached {
  /** All groups that take the topic. */
  readonly groups: number;
  /** Those that the caller may see. */
  readonly shown: readonly string[];
  readonly streams: StreamCount;
  readonly silent: readonly string[];
  readonly similar: readonly string[];
}

/** What lets it through, and who would receive it, in one sentence. */
function sentenceOf(topic: string, rule: string | null, reached: Reached): string {
  const receivers = receiversOf(reached);
  if (receivers !== '') {
    return rule === null
      ? `It would reach ${receivers}.`
      : `The rule "${rule}" allows it, and it would reach ${receivers}.`;
  }
  const { silent, similar } = reached;
  const no = rule === null ? 'No agent' : `The rule "${rule}" allows it, but no agent`;
  const declared = silent.length === 0 ? '' : `, although ${declaring(silent)} it`;
  const end = similar.length === 0 ? '.' : `; did you mean "${similar[0]}"?`;
  return `${no} would receive it: no group and no live stream takes "${topic}"${declared}${end}`;
}

function receiversOf({ groups, shown, streams }: Reached): string {
  const names = shown.length === groups && groups <= 3 ? ` (${shown.join(', ')})` : '';
  const parts = [
    ...(groups === 0 ? [] : [`${counted(groups, 'group')}${names}`]),
    ...(streams.agents === 0 ? [] : [`${counted(streams.agents, 'live stream')} of agents`]),
    ...(streams.operators === 0 ? [] : [`${counted(streams.operators, 'live stream')} of operators or viewers`]),
  ];
  return parts.length < 3 ? parts.join(' and ') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const declaring = (silent: readonly string[]): string =>
  silent.length === 1 ? `agent "${silent[0]}" declares` : `${silent.length} agents declare`;
