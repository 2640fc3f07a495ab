// What the log of a core has of agents: who joined, left, expired, fell silent or was tripped. Each replica logs what it committed.
import type { Clock } from '@hypercode/clock';
import type { AgentChange } from '@hypercode/registry';

/** A window begins with its first line, and lasts so long, in milliseconds. */
const WINDOW_MS = 1000;
/** Lines of one kind in a window; the rest are counted, and logged as one line at its end. */
const LINES = 5;
/** Names in that line. */
const NAMES = 5;

interface Kind {
  readonly one: (name: string) => string;
  readonly more: string;
}

const KINDS = {
  joined: { one: (name) => `agent "${name}" joined`, more: 'more agents joined' },
  restarted: {
    one: (name) => `agent "${name}" was taken over by a new process`,
    more: 'more agents were taken over by new processes',
  },
  left: { one: (name) => `agent "${name}" left`, more: 'more agents left' },
  expired: { one: (name) => `agent "${name}" expired`, more: 'more agents expired' },
  unhealthy: { one: (name) => `agent "${name}" is unhealthy`, more: 'more agents are unhealthy' },
  healthy: { one: (name) => `agent "${name}" is healthy again`, more: 'more agents are healthy again' },
  opened: { one: (name) => `the circuit of agent "${name}" opened`, more: 'more circuits opened' },
  closed: { one: (name) => `the circuit of agent "${name}" closed`, more: 'more circuits closed' },
} as const satisfies Record<string, Kind>;

type KindName = keyof typeof KINDS;

interface Window {
  lines: number;
  /** What was counted and not logged. */
  rest: number;
  readonly names: string[];
}

export interface AgentLogOptions {
  readonly clock: Pick<Clock, 'schedule'>;
  readonly logger: { info(fields: object, message: string): void };
}

/** At most six lines of a kind in a second, however many agents a fleet has. `close` logs what was counted. */
export class AgentLog {
  readonly #options: AgentLogOptions;
  readonly #windows = new Map<KindName, Window>();
  #cancel: (() => void) | null = null;

  constructor(options: AgentLogOptions) {
    this.#options = options;
  }

  note(changes: readonly AgentChange[]): void {
    for (const change of changes) for (const kind of kindsOf(change)) this.#note(kind, change.after);
  }

  close(): void {
    this.#cancel?.();
    this.#endWindows();
  }

  #note(kind: KindName, { namespace, name, role, status: { reason } }: AgentChange['after']): void {
    const { clock, logger } = this.#options;
    let window = this.#windows.get(kind);
    if (window === undefined) this.#windows.set(kind, (window = { lines: 0, rest: 0, names: [] }));
    this.#cancel ??= clock.schedule(WINDOW_MS, () => this.#endWindows());
    if (window.lines < LINES) {
      window.lines += 1;
      logger.info({ namespace, agent: name, role, ...(reason === null ? {} : { reason }) }, KINDS[kind].one(name));
      return;
    }
    window.rest += 1;
    if (window.names.length < NAMES) window.names.push(`${namespace}/${name}`);
  }

  #endWindows(): void {
    this.#cancel = null;
    for (const [kind, { rest, names }] of this.#windows) {
      if (rest > 0) this.#options.logger.info({ count: rest, among: names }, `${rest} ${KINDS[kind].more}`);
    }
    this.#windows.clear();
  }
}

function kindsOf({ change, before, after }: AgentChange): KindName[] {
  if (change === 'deregistered') return ['left'];
  if (change === 'expired') return ['expired'];
  const kinds: KindName[] = [];
  if (change === 'registered') kinds.push('joined');
  else if (before !== null && before.incarnation !== after.incarnation) kinds.push('restarted');
  else if (before?.status.health !== after.status.health) {
    if (after.status.health === 'unhealthy') kinds.push('unhealthy');
    else if (before?.status.health === 'unhealthy' && after.status.health === 'healthy') kinds.push('healthy');
  }
  const circuit = before?.status.circuit ?? 'closed';
  // A trial that failed opens it again: it was not closed meanwhile.
  if (circuit === 'closed' && after.status.circuit === 'open') kinds.push('opened');
  if (circuit !== 'closed' && after.status.circuit === 'closed') kinds.push('closed');
  return kinds;
}
