// What rows ask of a core besides what they measure.
import type { Agent, AgentRegistrationInput, QueryResult } from '@hypercode/contracts';
import { Agent as HttpAgent } from 'node:http';
import { HttpCalls } from './http-calls.ts';
import { inFlight } from './measure/rounds.ts';
import type { Measured } from './rig.ts';
import type { WatchTarget } from './watchers/watchers.ts';

/** What begins every change on the wire, and nothing else. */
export const CHANGE_MARK = 'data: {"type":"change"';
const BATCH_ITEMS = 25;

export interface Registered {
  agent: Agent;
  token: string;
}

export class CoreCalls {
  readonly #http: HttpCalls;
  readonly #core: Measured;

  constructor(core: Measured, connections = 8) {
    this.#core = core;
    const agent = new HttpAgent({ keepAlive: true, maxSockets: connections });
    this.#http = new HttpCalls(core.url, agent, { authorization: `Bearer ${core.adminToken}` });
  }

  async register(registration: AgentRegistrationInput): Promise<Registered> {
    return this.#mutate<Registered>('registry.register', registration);
  }

  /** Registers many, in batches. */
  async registerAll(registrations: readonly AgentRegistrationInput[]): Promise<Registered[]> {
    const registered: Registered[] = [];
    const groups = Math.ceil(registrations.length / BATCH_ITEMS);
    await inFlight(8, groups, async (group) => {
      const inputs = registrations.slice(group * BATCH_ITEMS, (group + 1) * BATCH_ITEMS);
      registered.push(...(await this.#mutateMany<Registered>('registry.register', inputs)));
    });
    return registered;
  }

  /** Changes each of the agents once, in one request. */
  async relabel(names: readonly string[], value: string): Promise<void> {
    const inputs = names.map((name) => ({ name, set: { labels: { region: 'eu-north', team: value } } }));
    await this.#mutateMany('registry.update', inputs);
  }

  async query(input: object): Promise<QueryResult> {
    return dataOf(JSON.parse(await this.#http.get(queryPath(input))) as Answer<QueryResult>);
  }

  /** Watchers that begin at the head, and so with next to nothing. */
  async watchTarget(): Promise<WatchTarget> {
    const { revision } = await this.query({ limit: 1 });
    return {
      url: this.#core.url,
      path: `/trpc/registry.watch?input=${encodeURIComponent(JSON.stringify({ since: revision }))}`,
      headers: { authorization: `Bearer ${this.#core.adminToken}` },
      mark: CHANGE_MARK,
    };
  }

  close(): void {
    this.#http.close();
  }

  async #mutate<T>(path: string, input: object): Promise<T> {
    return dataOf(JSON.parse(await this.#http.post(`/trpc/${path}`, input)) as Answer<T>);
  }

  async #mutateMany<T>(path: string, inputs: readonly object[]): Promise<T[]> {
    const paths = inputs.map(() => path).join(',');
    const text = await this.#http.post(`/trpc/${paths}?batch=1`, Object.assign({}, inputs));
    return (JSON.parse(text) as Answer<T>[]).map(dataOf);
  }
}

export const queryPath = (input: object): string =>
  `/trpc/registry.query?input=${encodeURIComponent(JSON.stringify(input))}`;

interface Answer<T> {
  result?: { data: T };
  error?: unknown;
}

function dataOf<T>({ result, error }: Answer<T>): T {
  if (result === undefined) throw new Error(`The core refused: ${JSON.stringify(error)}`);
  return result.data;
}
