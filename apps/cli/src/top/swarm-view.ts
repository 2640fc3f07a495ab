// What `top` knows of the swarm, and the rows that it shows of it: what needs attention, agents, topics, groups and plans. Pure.
import type { AgentSummary, PlanView, SwarmOverview } from '@hypercode/client';
import type { ApiOutput } from '@hypercode/contracts';
import { bold, dim, green, type Line, type Part, red, yellow } from '../output/parts.ts';
import { showAgo } from '../output/times.ts';

export type TopicInfo = ApiOutput<'bus.topics'>['topics'][number];

export interface SwarmView {
  readonly agents: readonly AgentSummary[];
  /** Null until the core has sent it. */
  readonly overview: SwarmOverview | null;
  /** The busiest first. */
  readonly topics: readonly TopicInfo[];
  /** Those that go on, and the last ones that ended; the newest first. */
  readonly plans: readonly PlanView[];
  /** Since when the core does not answer; null: it does. */
  readonly outSinceMs: number | null;
}

export const EMPTY_VIEW: SwarmView = { agents: [], overview: null, topics: [], plans: [], outSinceMs: null };

/** Which event of a row a trace is about. */
export type TraceTarget =
  | { readonly of: 'position'; readonly position: string }
  /** The first dead letter, or the first open delivery, of a group. */
  | { readonly of: 'dead' | 'open'; readonly group: string };

export interface Row {
  /** Stays the same as long as it is about the same thing. */
  readonly key: string;
  readonly cells: readonly Line[];
  readonly trace: TraceTarget | null;
}

export const TABS = ['attention', 'agents', 'topics', 'groups', 'plans'] as const;
export type Tab = (typeof TABS)[number];

export const TITLES: Readonly<Record<Tab, readonly string[]>> = {
  attention: ['what', 'why', 'what to do'],
  agents: ['name', 'role', 'health', 'activity', 'circuit', 'seen', 'note'],
  topics: ['topic', 'a second', 'events'],
  groups: ['group', 'lag', 'in flight', 'waiting', 'dead', 'state'],
  plans: ['plan', 'status', 'tasks', 'since', 'reason'],
};

/** The rows of a tab in which `filter` occurs, whatever its case. */
export function rowsOf(
  tab: Tab,
  view: SwarmView,
  { filter, nowMs }: { readonly filter: string; readonly nowMs: number },
): Row[] {
  const rows = ROWS[tab](view, nowMs);
  const wanted = filter.toLowerCase();
  return wanted === ''
    ? rows
    : rows.filter(({ cells }) => cells.some((cell) => textOf(cell).toLowerCase().includes(wanted)));
}

export const textOf = (line: Line): string =>
  [line]
    .flat()
    .map((part: Part) => (typeof part === 'string' ? part : part.text))
    .join('');

const ROWS: Readonly<Record<Tab, (view: SwarmView, nowMs: number) => Row[]>> = {
  attention: attentionRows,
  agents: ({ agents }, nowMs) => agents.toSorted(byName).map((agent) => agentRow(agent, nowMs)),
  topics: ({ topics }) =>
    topics.map(({ topic, perSecond, count, lastPosition }) => ({
      key: topic,
      cells: [topic, perSecond === 0 ? dim('0') : bold(perSecond.toFixed(1)), String(count)],
      trace: { of: 'position', position: lastPosition },
    })),
  groups: ({ overview }) => (overview?.groups ?? []).toSorted(byNeed).map(groupRow),
  plans: ({ plans }, nowMs) => plans.map((plan) => planRow(plan, nowMs)),
};

type Group = SwarmOverview['groups'][number];

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);
const byNeed = (a: Group, b: Group): number =>
  b.deadLetters - a.deadLetters || b.lag - a.lag || (a.group < b.group ? -1 : 1);

function agentRow({ name, role, status }: AgentSummary, nowMs: number): Row {
  const { health, activity, circuit, lastSeenAt, note } = status;
  return {
    key: name,
    cells: [
      bold(name),
      role,
      health === 'healthy' ? green(health) : health === 'unhealthy' ? red(health) : yellow(health),
      activity,
      circuit === 'closed' ? dim(circuit) : red(circuit.replace('_', ' ')),
      dim(showAgo(lastSeenAt, nowMs)),
      note ?? '',
    ],
    trace: null,
  };
}

const counted = (count: number, style: (text: string) => Part): Part => (count === 0 ? dim('0') : style(String(count)));

function groupRow(info: Group): Row {
  const { group, lag, inFlight, waiting, deadLetters, paused } = info;
  return {
    key: group,
    cells: [
      bold(group),
      counted(lag, yellow),
      counted(inFlight, String),
      counted(waiting, yellow),
      counted(deadLetters, red),
      paused === null
        ? dim('delivers')
        : yellow(`paused by ${paused.by}${paused.reason === null ? '' : `: ${paused.reason}`}`),
    ],
    trace: deadLetters > 0 ? { of: 'dead', group } : inFlight + waiting > 0 ? { of: 'open', group } : null,
  };
}

function planRow({ planId, title, status, tasks, submittedAt, reason }: PlanView, nowMs: number): Row {
  const completed = tasks.filter((task) => task.status === 'completed').length;
  const word =
    status === 'completed'
      ? green(status)
      : status === 'failed' || status === 'cancelled'
        ? red(status)
        : yellow(status);
  return {
    key: planId,
    cells: [bold(title), word, `${completed} of ${tasks.length}`, dim(showAgo(submittedAt, nowMs)), reason ?? ''],
    trace: null,
  };
}

/** What a person should know first; the worst first. */
function attentionRows({ agents, overview, plans }: SwarmView): Row[] {
  const row = (key: string, what: Part, why: string, todo: string, trace: TraceTarget | null = null): Row => ({
    key,
    cells: [what, why, dim(todo)],
    trace,
  });
  const { cluster, groups = [], questions } = overview ?? {};
  const stores = cluster === undefined ? [] : Object.entries(cluster.stores);
  return [
    ...stores
      .filter(([, { ok }]) => !ok)
      .map(([name, { kind }]) =>
        row(`store ${name}`, red(`store of ${name}`), `${kind} does not answer`, 'swarm doctor'),
      ),
    ...(cluster?.suspended ?? []).map((namespace) =>
      row(
        `guard ${namespace}`,
        red(`namespace ${namespace}`),
        'most agents failed together: no circuit is opened',
        'swarm doctor',
      ),
    ),
    ...groups
      .filter(({ deadLetters }) => deadLetters > 0)
      .map(({ group, deadLetters }) =>
        row(
          `dead ${group}`,
          red(`group ${group}`),
          `${deadLetters} dead ${deadLetters === 1 ? 'letter' : 'letters'}`,
          `swarm dead ls ${group}`,
          {
            of: 'dead',
            group,
          },
        ),
      ),
    ...agents
      .filter(({ status }) => status.circuit !== 'closed')
      .map(({ name, status }) =>
        row(
          `circuit ${name}`,
          red(`agent ${name}`),
          `circuit ${status.circuit.replace('_', ' ')}: ${status.reason ?? 'no reason given'}`,
          `swarm circuit reset ${name}`,
        ),
      ),
    ...agents
      .filter(({ status }) => status.health === 'unhealthy')
      .map(({ name, status }) =>
        row(`health ${name}`, red(`agent ${name}`), status.reason ?? 'unhealthy', `swarm agents get ${name}`),
      ),
    ...agents
      .filter(({ status }) => status.activity === 'blocked')
      .map(({ name, status }) =>
        row(
          `blocked ${name}`,
          yellow(`agent ${name}`),
          `blocked: ${status.note ?? 'it does not say why'}`,
          `swarm agents get ${name}`,
        ),
      ),
    ...groups.flatMap((info) =>
      info.paused === null
        ? []
        : [
            row(
              `paused ${info.group}`,
              yellow(`group ${info.group}`),
              `paused by ${info.paused.by}`,
              `swarm groups resume ${info.group}`,
            ),
          ],
    ),
    ...groups
      .filter(({ lag, inFlight, paused }) => lag > 0 && inFlight === 0 && paused === null)
      .map(({ group, lag }) =>
        row(
          `lag ${group}`,
          yellow(`group ${group}`),
          `${lag} events behind, and nothing in flight`,
          `swarm groups get ${group}`,
        ),
      ),
    ...plans
      .filter(({ status }) => status === 'failed')
      .map(({ planId, title, reason }) =>
        row(`plan ${planId}`, red(`plan ${title}`), reason ?? 'failed', `swarm plans retry ${planId}`),
      ),
    ...((questions?.open ?? 0) === 0
      ? []
      : [row('questions', yellow('questions'), `${questions?.open} wait for an answer`, 'see the dashboard')]),
  ];
}
