// A live local mirror of the registry: agents without a call, and an event for every change.
import { type Agent, type AgentSummary, type AgentView, SwarmError, type WatchEvent } from '@hypercode/contracts';
import { abortError, bounded } from '../transport/bounded.ts';
import type { Connection } from '../transport/connection.ts';
import { Emitter, type Listener } from '../transport/emitter.ts';
import { applyDifferences, applyWatchEvent, type Mirror } from './mirror.ts';
import { onAbort } from '../transport/on-abort.ts';
import { watchAgents, type WatchOptions } from './watch.ts';

/** What the directory mirrors; without a filter, the whole namespace. */
export type DirectoryFilter<View extends AgentView = 'full'> = Omit<
  WatchOptions<View>,
  'since' | 'signal' | 'onInterruption'
>;

export interface DirectoryEvents<Listed = Agent> {
  added: [agent: Listed];
  changed: [agent: Listed, previous: Listed];
  /** Deregistered, expired, or no longer matching the filter. */
  removed: [agent: Listed];
  /** The mirror is whole: for the first time, or again after it was interrupted. */
  synced: [revision: number];
  /** The stream was lost and will be resumed; until `synced`, the mirror may be out of date. */
  interrupted: [error: SwarmError];
  /** The core refused for good. The mirror stays as it is and follows no more. Without a listener, it is logged. */
  error: [error: SwarmError];
}

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** Default: no limit. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Follows the registry from when it is made until `stop`. Listeners are called after the mirror has changed, in the order
 * of the changes; when a snapshot replaces the mirror, they receive only the differences. `Listed`: an agent in the view that the
 * directory asks for.
 */
export class AgentDirectory<Listed extends AgentSummary = Agent> implements Iterable<Listed> {
  /** Resolves when the mirror is whole for the first time; rejects when it can not become so. */
  readonly ready: Promise<void>;
  readonly #connection: Connection;
  readonly #agents = new Map<string, Agent>();
  readonly #emitter = new Emitter<DirectoryEvents<Listed>>();
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  #mirror: Omit<Mirror, 'agents'> = { revision: 0, synced: false, collected: null };

  constructor(connection: Connection, filter: DirectoryFilter<AgentView> = {}) {
    this.#connection = connection;
    this.ready = new Promise((resolve, reject) => {
      this.on('synced', () => resolve());
      onAbort(this.#stop.signal, () => reject(abortError(this.#stop.signal)));
    });
    this.ready.catch(() => {});
    this.#following = this.#follow(filter);
  }

  /** The mirror is the namespace as it was at this revision. */
  get revision(): number {
    return this.#mirror.revision;
  }

  get size(): number {
    return this.#agents.size;
  }

  get(name: string): Listed | undefined {
    return this.#listed.get(name);
  }

  list(predicate: (agent: Listed) => boolean = () => true): Listed[] {
    return [...this.#listed.values()].filter(predicate);
  }

  [Symbol.iterator](): IterableIterator<Listed> {
    return this.#listed.values();
  }

  /** Calls `listener` at each `event` from now on; the returned function ends that. */
  on<Name extends keyof DirectoryEvents>(event: Name, listener: Listener<DirectoryEvents<Listed>[Name]>): () => void {
    return this.#emitter.on(event, listener);
  }

  /** The first agent that `predicate` holds for, now or later. Rejects with UNAVAILABLE when the time is up. */
  async waitFor(predicate: (agent: Listed) => boolean, options: WaitOptions = {}): Promise<Listed> {
    const listening: (() => void)[] = [];
    const signals = [options.signal, this.#stop.signal];
    try {
      return await bounded(this.#connection.clock, { timeoutMs: options.timeoutMs ?? Infinity, signals }, () => {
        return new Promise((resolve, reject) => {
          const consider = (agent: Listed): void => {
            try {
              if (predicate(agent)) resolve(agent);
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)));
            }
          };
          for (const agent of this.#listed.values()) consider(agent);
          listening.push(this.on('added', consider), this.on('changed', consider));
        });
      });
    } finally {
      for (const stopListening of listening) stopListening();
    }
  }

  /** Ends the following and its connection; the mirror stays readable as it is. */
  async stop(): Promise<void> {
    this.#stop.abort(new SwarmError('UNAVAILABLE', 'the directory was stopped'));
    await this.#following;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** The mirror knows the agents of both views by the type of whole ones. */
  #listedAs(agent: AgentSummary): Listed {
    return agent as Listed;
  }

  get #listed(): ReadonlyMap<string, Listed> {
    const agents: ReadonlyMap<string, AgentSummary> = this.#agents;
    return agents as ReadonlyMap<string, Listed>;
  }

  async #follow(filter: DirectoryFilter<AgentView>): Promise<void> {
    const signal = this.#stop.signal;
    const onInterruption = (error: SwarmError): void => this.#emitter.emit('interrupted', error);
    let end: SwarmError;
    try {
      for await (const event of watchAgents(this.#connection, {
        ...filter,
        signal,
        onInterruption,
      })) {
        const step = applyWatchEvent({ ...this.#mirror, agents: this.#agents }, event as WatchEvent);
        const { revision, synced, collected, differences } = step;
        this.#mirror = { revision, synced, collected };
        applyDifferences(this.#agents, differences);
        for (const difference of differences) {
          const agent = this.#listedAs(difference.agent);
          if (difference.kind === 'changed') this.#emitter.emit('changed', agent, this.#listedAs(difference.previous));
          else this.#emitter.emit(difference.kind, agent);
        }
        if (step.caughtUp) this.#emitter.emit('synced', revision);
      }
      end = new SwarmError('UNAVAILABLE', 'the core or the client ended the watch');
    } catch (error) {
      end = SwarmError.from(error);
    }
    if (signal.aborted) return;
    this.#stop.abort(end);
    if (this.#connection.closed.aborted && end.retryable) return;
    if (!this.#emitter.has('error')) {
      this.#connection.logger.warn({ code: end.code, error: end.message }, 'a directory follows the registry no more');
    }
    this.#emitter.emit('error', end);
  }
}
