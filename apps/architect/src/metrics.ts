// What Prometheus reads of one Architect: its goals, plans and attempts, its HTTP requests, and the process.
import { AttemptOutcome, PlanStatus, TaskStatus } from '@hypercode/contracts';
import { type PlanLedger, statusOf } from '@hypercode/plans';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Mode } from './architect.ts';

const REQUEST_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const OPEN = ['planning', 'running'] as const satisfies readonly PlanStatus[];
const ENDS = PlanStatus.exclude(OPEN).options;
const UNKNOWN_ROUTE = 'none';

/** What is read whenever Prometheus asks. */
export interface MetricsSource {
  readonly mode: Mode;
  readonly isCaughtUp: boolean;
  readonly ledger: PlanLedger;
}

export interface AnsweredRequest {
  /** The pattern of its route; undefined when none matched. */
  readonly route: string | undefined;
  readonly method: string;
  readonly status: number;
  readonly ms: number;
}

/** Counts since the process began to be active or on standby. */
export class ArchitectMetrics {
  readonly #registry = new Registry();
  readonly #process = metricsOfProcess();
  readonly goals: Counter;
  readonly ended: Counter<'status'>;
  readonly attempts: Counter<'outcome'>;
  readonly #requests: Counter<'route' | 'method' | 'status'>;
  readonly #seconds: Histogram<'route' | 'method'>;

  constructor() {
    const registers = [this.#registry];
    this.goals = new Counter({ name: 'architect_goals_total', help: 'Goals submitted.', registers });
    this.ended = new Counter({
      name: 'architect_plans_ended_total',
      help: 'Plans that ended, by how.',
      labelNames: ['status'],
      registers,
    });
    this.attempts = new Counter({
      name: 'architect_attempts_ended_total',
      help: 'Attempts at tasks that ended, by how.',
      labelNames: ['outcome'],
      registers,
    });
    this.#requests = new Counter({
      name: 'architect_http_requests_total',
      help: 'HTTP requests answered, by the pattern of their route.',
      labelNames: ['route', 'method', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'architect_http_request_duration_seconds',
      help: 'Time to answer an HTTP request.',
      labelNames: ['route', 'method'],
      buckets: REQUEST_SECONDS,
      registers,
    });
    // A rate can only be taken of what has been there before.
    for (const status of ENDS) this.ended.labels({ status }).inc(0);
    for (const outcome of AttemptOutcome.exclude(['running']).options) this.attempts.labels({ outcome }).inc(0);
  }

  /** Adds what is read of the Architect. */
  read(source: MetricsSource): void {
    const registers = [this.#registry];
    const gauge = (name: string, help: string, read: () => number): void => {
      const made: Gauge = new Gauge({ name, help, registers, collect: () => made.set(read()) });
    };
    gauge('architect_active', '1 for an active Architect, 0 for a standby.', () => (source.mode === 'active' ? 1 : 0));
    gauge('architect_caught_up', '1 when all that the bus has kept is known.', () => (source.isCaughtUp ? 1 : 0));
    const plans: Gauge<'status'> = new Gauge({
      name: 'architect_plans',
      help: 'Plans that have not ended.',
      labelNames: ['status'],
      registers,
      collect: () => {
        const counts = countBy(source.ledger.active(), ({ status }) => status);
        for (const status of OPEN) plans.labels({ status }).set(counts.get(status) ?? 0);
      },
    });
    const tasks: Gauge<'status'> = new Gauge({
      name: 'architect_tasks',
      help: 'Tasks of running plans.',
      labelNames: ['status'],
      registers,
      collect: () => {
        const running = [...source.ledger.active()].filter(({ status }) => status === 'running');
        const counts = countBy(
          running.flatMap((plan) => [...plan.tasks.values()]),
          statusOf,
        );
        for (const status of TaskStatus.options) tasks.labels({ status }).set(counts.get(status) ?? 0);
      },
    });
  }

  answered({ route = UNKNOWN_ROUTE, method, status, ms }: AnsweredRequest): void {
    this.#requests.labels({ route, method, status: String(status) }).inc();
    this.#seconds.labels({ route, method }).observe(ms / 1000);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  async text(): Promise<string> {
    const [own, ofProcess] = await Promise.all([this.#registry.metrics(), this.#process.metrics()]);
    return `${own}\n${ofProcess}`;
  }
}

function countBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + 1);
  return counts;
}

let processMetrics: Registry | null = null;

/** One for the process: collecting twice would measure twice, and never ends. */
function metricsOfProcess(): Registry {
  if (processMetrics === null) {
    processMetrics = new Registry();
    collectDefaultMetrics({ register: processMetrics });
    // By the rules of Prometheus only counters end in `_total`. These gauges are the sums of others.
    for (const { name, type } of processMetrics.getMetricsAsArray()) {
      if (String(type) !== 'counter' && name.endsWith('_total')) processMetrics.removeSingleMetric(name);
    }
  }
  return processMetrics;
}
