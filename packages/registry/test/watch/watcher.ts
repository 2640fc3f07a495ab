// A watcher for tests: it keeps what it receives, checks it against the rules of a watch, and mirrors the agents by it.
import type { Agent, AgentFilter, AgentView, WatchEvent } from '@hypercode/contracts';
import { expect, vi } from 'vitest';
import type { Registry } from '../../src/create-registry.ts';
import type { WatchItem } from '../../src/watch/project.ts';

export interface WatcherOptions {
  filter?: AgentFilter;
  view?: AgentView;
  cursor?: string | number;
}

type ChangeEvent = Extract<WatchEvent, { type: 'change' }>;

export class Watcher {
  readonly items: WatchItem[] = [];
  /** The agents that match, by the values received. */
  readonly agents = new Map<string, Agent>();
  /** Why the watch ended, if it failed. */
  failure: Error | undefined;
  /** The revision of the last value. */
  position = -1;
  readonly #filtered: boolean;
  readonly #ending = new AbortController();
  readonly #done: Promise<void>;
  #gate = Promise.withResolvers<void>();
  #inSnapshot = false;

  constructor(registry: Registry, namespace: string, { filter = {}, view = 'full', cursor }: WatcherOptions) {
    this.#filtered = Object.keys(filter).length > 0;
    if (cursor !== undefined && /^\d+$/.test(String(cursor))) this.position = Number(cursor);
    this.#gate.resolve();
    const watch = registry.watches.open({ namespace, filter, view, cursor }, this.#ending.signal);
    this.#done = this.#pull(watch).catch((error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
    });
  }

  get events(): WatchEvent[] {
    return this.items.map(({ event }) => event);
  }

  get changes(): ChangeEvent[] {
    return this.events.filter((event) => event.type === 'change');
  }

  /** The values received, in short: `synced`, `registered ada`. */
  get received(): string[] {
    return this.events.map((event) => {
      if (event.type === 'change') return `${event.change} ${event.agent.name}`;
      if (event.type === 'snapshot') {
        return `${event.reset ? 'reset' : 'snapshot'} ${event.agents.map(({ name }) => name).join(' ')}`.trimEnd();
      }
      return event.type;
    });
  }

  /** The id that a client would resume from. */
  get lastId(): string {
    return this.items.at(-1)?.id ?? '';
  }

  /** Pulls at most one more batch. */
  pause(): void {
    this.#gate = Promise.withResolvers<void>();
  }

  resume(): void {
    this.#gate.resolve();
  }

  /** Waits until `condition` holds of the watcher; fails with why the watch ended, if it did. */
  until(condition: (watcher: this) => boolean, timeout = 10_000): Promise<void> {
    const check = () => {
      if (this.failure !== undefined) throw this.failure;
      if (!condition(this)) throw new Error(`in vain, after receiving ${this.received.slice(-5).join(', ')}`);
    };
    return vi.waitFor(check, { timeout, interval: 10 });
  }

  /** Waits until `expected` are the last values received. */
  receives(...expected: string[]): Promise<void> {
    const check = () => {
      if (this.failure !== undefined) throw this.failure;
      expect(this.received.slice(-expected.length)).toEqual(expected);
    };
    return vi.waitFor(check, { timeout: 10_000, interval: 10 });
  }

  synced(timeout?: number): Promise<void> {
    return this.until(({ events }) => events.some(({ type }) => type === 'synced'), timeout);
  }

  /** Ends the watch, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#ending.abort();
    this.#gate.resolve();
    await this.#done;
  }

  async #pull(watch: AsyncIterable<readonly WatchItem[]>): Promise<void> {
    for await (const batch of watch) {
      for (const item of batch) {
        this.items.push(item);
        this.#take(item);
      }
      await this.#gate.promise;
    }
  }

  #take({ id, event }: WatchItem): void {
    if (event.type === 'snapshot') {
      if (id !== 'snapshot') throw new Error(`a snapshot has the id ${id}`);
      if (!this.#inSnapshot) this.agents.clear();
      this.#inSnapshot = true;
      for (const agent of event.agents) this.agents.set(agent.name, agent);
      this.position = event.revision;
      return;
    }
    if (id !== String(event.revision)) throw new Error(`${event.type} ${event.revision} has the id ${id}`);
    if (this.#inSnapshot && event.type !== 'synced') throw new Error(`${event.type} inside a snapshot`);
    this.#inSnapshot = false;
    if (event.type === 'change') this.#change(event);
    else if (event.revision < this.position) throw new Error(`${event.type} ${event.revision} after ${this.position}`);
    this.position = event.revision;
  }

  #change({ revision, change, agent }: ChangeEvent): void {
    const inOrder = this.#filtered ? revision > this.position : revision === this.position + 1;
    if (!inOrder) throw new Error(`revision ${revision} after ${this.position}`);
    if (['left', 'deregistered', 'expired'].includes(change)) this.agents.delete(agent.name);
    else this.agents.set(agent.name, agent);
  }
}
