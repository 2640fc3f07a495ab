// What waits for a person or is wrong, as one list: the worst first, then what lasts longest.
import type { AgentSummary, PlanView, SwarmOverview } from '@hypercode/client';
import { DEADLINE_PASSED, type GroupInfo, NO_REASON, type TaskView } from '@hypercode/contracts';
import { counted } from '../../parts/duration.ts';
import type { AgentTally } from '../../swarm/agent-tally.ts';

/** `bad`: something stands still or is lost. `warn`: it will, if nothing is done. `note`: an agent says that it waits. */
export type Rank = 'bad' | 'warn' | 'note';

/** Where the reader finds out more, and can act. */
export type Target =
  | { readonly to: 'agent'; readonly name: string }
  | {
      readonly to: 'agents';
      readonly filter:
        | { readonly health: 'unhealthy' }
        | { readonly circuit: 'open' | 'half_open' }
        | { readonly activity: 'blocked' | 'waiting' };
    }
  | { readonly to: 'plan'; readonly id: string; readonly task?: string }
  | { readonly to: 'group'; readonly group: string }
  | { readonly to: 'system' };

export interface Finding {
  /** The same as long as the cause is the same. */
  readonly id: string;
  readonly rank: Rank;
  readonly title: string;
  /** Why, in words of the core or of an agent. */
  readonly why: string;
  /** ISO 8601; null: the core does not know. */
  readonly since: string | null;
  readonly target: Target;
  /** What the reader will do there. */
  readonly action: string;
}

export interface SwarmState {
  readonly namespace: string;
  readonly agents: AgentTally;
  readonly overview: SwarmOverview | null;
  readonly plans: readonly PlanView[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

const RANKS: readonly Rank[] = ['bad', 'warn', 'note'];
/** A failed plan that is older is history. Milliseconds. */
const PLAN_AGE_MS = 86_400_000;
/** More agents in the same trouble than this are one finding. */
const MAX_SINGLE_AGENTS = 5;
/** A group that has more unread events than this falls behind. */
const MAX_LAG = 1000;
/** Reasons of dead letters that a finding names. */
const MAX_REASONS = 3;
/** A replica reports itself every five seconds. */
const REPLICA_SILENT_MS = 20_000;
const SLOW_EVENT_LOOP_MS = 250;

export function findingsOf(state: SwarmState): Finding[] {
  const findings = [
    ...ofCluster(state),
    ...ofCircuits(state.agents),
    ...ofHealth(state.agents),
    ...ofPlans(state),
    ...(state.overview?.groups ?? []).flatMap((group) => [...ofGroup(group)]),
    ...ofActivity(state.agents),
  ];
  return findings.toSorted(
    (a, b) => RANKS.indexOf(a.rank) - RANKS.indexOf(b.rank) || (a.since ?? '').localeCompare(b.since ?? ''),
  );
}

function* ofCluster({ overview, namespace, now }: SwarmState): Generator<Finding> {
  if (overview === null) return;
  const { cluster } = overview;
  const target: Target = { to: 'system' };
  if (cluster.suspended.includes(namespace)) {
    yield {
      id: 'suspended',
      rank: 'bad',
      title: 'Many agents failed at the same time',
      why: 'The mass-failure guard holds: no circuit is opened and no agent expires, because the fault is likely in the core or its network.',
      since: null,
      target: { to: 'agents', filter: { health: 'unhealthy' } },
      action: 'See the agents',
    };
  }
  for (const [name, store] of Object.entries(cluster.stores)) {
    if (store.ok) continue;
    const why = `The ${name === 'database' ? 'database' : 'store of events'} (${store.kind}) does not answer, or takes no writes.`;
    yield {
      id: `store ${name}`,
      rank: 'bad',
      title: `${store.kind} is unavailable`,
      why,
      since: null,
      target,
      action: 'See the system',
    };
  }
  for (const { id, host, seenAt, eventLoopP99Ms } of cluster.replicas) {
    if (now - Date.parse(seenAt) > REPLICA_SILENT_MS) {
      const why = 'It reports itself every five seconds, and has not.';
      yield {
        id: `replica ${id}`,
        rank: 'warn',
        title: `Replica on ${host} is silent`,
        why,
        since: seenAt,
        target,
        action: 'See the system',
      };
    } else if (eventLoopP99Ms > SLOW_EVENT_LOOP_MS) {
      const why = `Its timers were up to ${Math.round(eventLoopP99Ms)} ms late over the last five seconds.`;
      yield {
        id: `slow ${id}`,
        rank: 'warn',
        title: `Replica on ${host} is overloaded`,
        why,
        since: null,
        target,
        action: 'See the system',
      };
    }
  }
}

function* ofCircuits({ broken }: AgentTally): Generator<Finding> {
  for (const circuit of ['open', 'half_open'] as const) {
    const found = broken.filter(({ status }) => status.circuit === circuit);
    const rank = circuit === 'open' ? 'bad' : 'warn';
    const word = circuit === 'open' ? 'open' : 'on trial';
    if (found.length > MAX_SINGLE_AGENTS) {
      yield {
        id: `circuits ${circuit}`,
        rank,
        title: `The circuits of ${counted(found.length, 'agent')} are ${word}`,
        why: `${someOf(found)}.`,
        since: earliest(found, ({ updatedAt }) => updatedAt),
        target: { to: 'agents', filter: { circuit } },
        action: 'See the agents',
      };
      continue;
    }
    for (const { name, status, updatedAt } of found) {
      const isHeld = circuit === 'open' && status.circuitOpenUntil === null;
      yield {
        id: `circuit ${name}`,
        rank,
        title: `Circuit of ${name} is ${word}`,
        why: status.reason ?? (isHeld ? 'An operator holds it open.' : 'Its events are refused.'),
        since: updatedAt,
        target: { to: 'agent', name },
        action: 'See why, and reset it',
      };
    }
  }
}

function* ofHealth({ unhealthy }: AgentTally): Generator<Finding> {
  if (unhealthy.length > MAX_SINGLE_AGENTS) {
    yield {
      id: 'unhealthy',
      rank: 'warn',
      title: `${counted(unhealthy.length, 'agent')} are unhealthy`,
      why: `${someOf(unhealthy)}.`,
      since: earliest(unhealthy, ({ updatedAt }) => updatedAt),
      target: { to: 'agents', filter: { health: 'unhealthy' } },
      action: 'See the agents',
    };
    return;
  }
  for (const { name, status, updatedAt } of unhealthy) {
    yield {
      id: `unhealthy ${name}`,
      rank: 'warn',
      title: `${name} is unhealthy`,
      why: status.reason ?? 'It shows no sign of life.',
      since: updatedAt,
      target: { to: 'agent', name },
      action: 'See the agent',
    };
  }
}

/** The first few by name. */
const someOf = (agents: readonly AgentSummary[]): string =>
  `${agents
    .slice(0, MAX_SINGLE_AGENTS)
    .map(({ name }) => name)
    .join(', ')}, and others`;

function earliest(agents: readonly AgentSummary[], timeOf: (agent: AgentSummary) => string): string | null {
  let first: string | null = null;
  for (const agent of agents) {
    const time = timeOf(agent);
    if (first === null || time < first) first = time;
  }
  return first;
}

function* ofPlans({ plans, agents, now }: SwarmState): Generator<Finding> {
  for (const plan of plans) {
    const target: Target = { to: 'plan', id: plan.planId };
    if (plan.status === 'failed' && plan.endedAt !== null && now - Date.parse(plan.endedAt) < PLAN_AGE_MS) {
      const why = plan.reason ?? 'It gave no reason.';
      yield {
        id: `failed ${plan.planId}`,
        rank: 'bad',
        title: `Plan failed: ${plan.title}`,
        why,
        since: plan.endedAt,
        target,
        action: 'See the plan, and retry it',
      };
    }
    if (plan.status !== 'running') continue;
    for (const { taskId, title, status, attempts } of plan.tasks) {
      const last = attempts.at(-1);
      if (status !== 'assigned' || last === undefined || (last.stalledAt ?? null) === null) continue;
      yield {
        id: `stalled ${plan.planId} ${taskId} ${last.attempt}`,
        rank: 'warn',
        title: `${last.agent} reports nothing about “${title}”`,
        why: `It has begun the task of “${plan.title}”, and asks no person. At the deadline the task goes to another agent.`,
        since: last.stalledAt,
        target: { ...target, task: taskId },
        action: 'See the task',
      };
    }
    const stuck = plan.tasks.filter(
      ({ status, capability }) => status === 'ready' && agents.offering(capability) === 0,
    );
    for (const capability of new Set(stuck.map((task) => task.capability))) {
      const times = stuck.filter((task) => task.capability === capability).map((task) => readySince(plan, task));
      yield {
        id: `nobody ${plan.planId} ${capability}`,
        rank: 'bad',
        title: `No agent can do ${capability}`,
        why: `A task of “${plan.title}” waits for an agent that offers ${capability}, is healthy, and has no open circuit.`,
        since: times.toSorted()[0] ?? null,
        target,
        action: 'See the plan',
      };
    }
  }
}

/** Since when a task waits for an agent: its last attempt, what it depends on, or the approval of its plan ended. */
function readySince({ submittedAt, approval, tasks }: PlanView, { attempts, dependsOn }: TaskView): string {
  const last = attempts.at(-1);
  if (last !== undefined) return last.endedAt ?? last.assignedAt ?? submittedAt;
  const ends = tasks
    .filter(({ taskId }) => dependsOn.includes(taskId))
    .map((task) => task.attempts.findLast(({ outcome }) => outcome === 'completed')?.endedAt);
  const times = [submittedAt, approval?.question?.endedAt, ...ends].filter((time) => typeof time === 'string');
  return times.toSorted().at(-1) ?? submittedAt;
}

const DEATHS: Readonly<Record<string, string>> = {
  [DEADLINE_PASSED]: 'deadline passed',
  [NO_REASON]: 'refused without a reason',
};

/** The commonest reasons, each with its number. */
function reasonsOf({ deadLetters, deadByReason }: GroupInfo): string {
  const named = deadByReason.slice(0, MAX_REASONS);
  const others = deadLetters - named.reduce((sum, { count }) => sum + count, 0);
  const texts = named.map(({ reason, count }) => `${count} × ${DEATHS[reason] ?? `“${reason}”`}`);
  if (others > 0) texts.push(`${others} × ${named.length > 0 ? 'another' : 'a'} reason`);
  return texts.join(', ');
}

function* ofGroup(info: GroupInfo): Generator<Finding> {
  const { group, deadLetters, oldestDeadAt, lag, paused, waiting, oldestUnreadAt } = info;
  const target: Target = { to: 'group', group };
  if (deadLetters > 0) {
    yield {
      id: `dead ${group}`,
      rank: 'warn',
      title: `${counted(deadLetters, 'dead letter')} in group ${group}`,
      why: `${reasonsOf(info)}. Each failed its last attempt, and is kept until it is redriven or discarded.`,
      since: oldestDeadAt,
      target,
      action: 'Redrive or discard',
    };
  }
  if (paused !== null && lag > 0) {
    const why = paused.reason ?? `${paused.by} paused it.`;
    yield {
      id: `paused ${group}`,
      rank: 'warn',
      title: `Group ${group} is paused, with ${counted(lag, 'unread event')}`,
      why,
      since: paused.at,
      target,
      action: 'Resume it',
    };
  } else if (lag > MAX_LAG) {
    const why =
      waiting > 0
        ? `${counted(waiting, 'event')} wait for another attempt.`
        : 'Its members are slower than the events come.';
    yield {
      id: `lag ${group}`,
      rank: 'warn',
      title: `Group ${group} falls behind: ${counted(lag, 'unread event')}`,
      why,
      since: oldestUnreadAt,
      target,
      action: 'See the group',
    };
  }
}

function* ofActivity(agents: AgentTally): Generator<Finding> {
  for (const activity of ['blocked', 'waiting'] as const) {
    const found = agents[activity];
    const rank = activity === 'blocked' ? 'warn' : 'note';
    if (found.length > MAX_SINGLE_AGENTS) {
      yield {
        id: activity,
        rank,
        title: `${counted(found.length, 'agent')} are ${activity}`,
        why: `${someOf(found)}.`,
        since: earliest(found, ({ status }) => status.activitySince),
        target: { to: 'agents', filter: { activity } },
        action: 'See the agents',
      };
      continue;
    }
    const silent =
      activity === 'blocked' ? 'It does not say why.' : 'For a person or another agent; it does not say what for.';
    for (const { name, status } of found) {
      yield {
        id: `${activity} ${name}`,
        rank,
        title: `${name} is ${activity}`,
        why: status.note ?? silent,
        since: status.activitySince,
        target: { to: 'agent', name },
        action: 'See the agent',
      };
    }
  }
}
