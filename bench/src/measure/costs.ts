// The processor time of every process that takes part, for each operation.
import { median } from './percentiles.ts';

/** Seconds of processor time that a server has used so far. */
export type Meter = () => Promise<number>;

interface Cost {
  name: string;
  /** Microseconds for each operation. */
  client: number;
  servers: number[];
}

export interface MeteredRun {
  /** The contender's, and what its servers are, in their order. */
  name: string;
  servers: readonly Meter[];
  /** Operations in a run. */
  count: number;
}

export class Costs {
  readonly #costs: Cost[] = [];

  /** Runs something of which this process is the client. */
  async metered<T>({ name, servers, count }: MeteredRun, run: () => Promise<T>): Promise<T> {
    const readAll = () => Promise.all(servers.map((meter) => meter()));
    const ownBefore = process.cpuUsage();
    const before = await readAll();
    const result = await run();
    const own = process.cpuUsage(ownBefore);
    const after = await readAll();
    const micros = after.map((seconds, index) => ((seconds - (before[index] ?? 0)) * 1e6) / count);
    this.#costs.push({ name, client: (own.user + own.system) / count, servers: micros });
    return result;
  }

  /** Forgets what was metered, as after a warm-up. */
  clear(): void {
    this.#costs.length = 0;
  }

  /** The medians, in microseconds. */
  describe(): string {
    const names = [...new Set(this.#costs.map(({ name }) => name))];
    return names.map((name) => describe(this.#costs.filter((cost) => cost.name === name))).join('; ');
  }
}

function describe(costs: readonly Cost[]): string {
  const [{ name, servers } = { name: '', servers: [] }] = costs;
  const medians = servers.map((_, index) => Math.round(median(costs.map((cost) => cost.servers[index] ?? 0))));
  return `${name} ${medians.join(', ')}, client ${Math.round(median(costs.map(({ client }) => client)))}`;
}
