// All events about plans and tasks, as an observer receives them.
import { createSwarmClient, type SwarmEvent } from '@hypercode/client';
import { architectEvents } from '@hypercode/contracts';
import { waitFor } from '@hypercode/testkit';

export class PlanLog {
  readonly events: SwarmEvent[] = [];
  readonly #client: ReturnType<typeof createSwarmClient>;

  constructor({
    url,
    adminToken,
    namespace,
  }: {
    readonly url: string;
    readonly adminToken: string;
    readonly namespace?: string;
  }) {
    this.#client = createSwarmClient({ url, token: adminToken, namespace });
    const topics = Object.keys(architectEvents.schemas);
    this.#client.on(topics, (event) => this.events.push(event), { from: 'earliest' });
  }

  /** The data of events whose topics have this end, such as `.completed`. */
  data<T>(end: string): T[] {
    return this.events.filter(({ topic }) => topic.endsWith(end)).map(({ data }) => data as T);
  }

  /** Waits for the end of a plan, and gives its topic. */
  async endOf(planId: string, timeoutMs = 60_000): Promise<string> {
    const isEnd = ({ topic, data }: SwarmEvent): boolean =>
      /^plan\.(?:completed|failed|cancelled)$/.test(topic) && JSON.stringify(data).includes(planId);
    return waitFor(() => this.events.find(isEnd)?.topic, { what: `the end of the plan ${planId}`, timeoutMs });
  }

  /** Tasks of a plan in the order in which they were completed, each as often as a worker reported it. */
  completed(planId: string): string[] {
    return this.data<{ planId: string; taskId: string }>('.completed')
      .filter((data) => data.planId === planId && data.taskId !== undefined)
      .map(({ taskId }) => taskId);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
