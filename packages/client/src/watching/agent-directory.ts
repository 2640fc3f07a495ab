// A live local mirror of the registry: agents without a call, and an event for every change.
import { type Agent, SwarmError } from '@hypercode/contracts';
import { abortError, bounded } from '../transport/bounded.ts';
import type { Connection } from '../transport/connection.ts';
import { Emitter, type Listener } from '../transport/emitter.ts';
import { applyDifferences, applyWatchEvent, type Mirror } from './mirror.ts';
import { onAbort } from '../transport/on-abort.ts';
import { watchAgents, type WatchOptions } from './watch.ts';

/** What the directory mirrors; without a filter, the whole namespace. */
export type DirectoryFilter = Omit<WatchOptions, 'since' | 'signal' | 'onInterruption'>;

export interface DirectoryEvents {
  added: [agent: Agent];
  changed: [agent: Agent, previous: Agent];
  /** Deregistered, expired, or no longer matching the filter. */
  removed: [agent: Agent];
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
 * of the changes; when a snapshot replaces the mirror, they receive only the differences.
 */
export class AgentDirectory implements Iterable<Agent> {
  /** Resolves when the mirror is whole for the first time; rejects when it can not become so. */
  readonly ready: Promise<void>;
  readonly #connection: Connection;
  readonly #agents = new Map<string, Agent>();
  readonly #emitter = new Emitter<DirectoryEvents>();
  readonly #stop = new AbortController();
  readonly #following: Promise<void>;
  #mirror: Omit<Mirror, 'agents'> = { revision: 0, synced: false, collected: null };

  constructor(connection: Connection, filter: DirectoryFilter = {}) {
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

  get(name: string): Agent | undefined {
    return this.#agents.get(name);
  }

  list(predicate: (agent: Agent) => boolean = () => true): Agent[] {
    return [...this.#agents.values()].filter(predicate);
  }

  [Symbol.iterator](): IterableIterator<Agent> {
    return this.#agents.values();
  }

  /** Calls `listener` at each `event` from now on; the returned function ends that. */
  on<Name extends keyof DirectoryEvents>(event: Name, listener: Listener<DirectoryEvents[Name]>): () => void {
    return this.#emitter.on(event, listener);
  }

  /** The first agent that `predicate` holds for, now or later. Rejects with UNAVAILABLE when the time is up. */
  async waitFor(predicate: (agent: Agent) => boolean, options: WaitOptions = {}): Promise<Agent> {
    const listening: (() => void)[] = [];
    const signals = [options.signal, this.#stop.signal];
    try {
      return await bounded(this.#connection.clock, { timeoutMs: options.timeoutMs ?? Infinity, signals }, () => {
        return new Promise((resolve, reject) => {
          const consider = (agent: Agent): void => {
            try {
              if (predicate(agent)) resolve(agent);
            } catch (error) {
              reject(error instanceof Error ? error : new Error(String(error)));
            }
          };
          for (const agent of this.#agents.values()) consider(agent);
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

  async #follow(filter: DirectoryFilter): Promise<void> {
    const signal = this.#stop.signal;
    const onInterruption = (error: SwarmError): void => this.#emitter.emit('interrupted', error);
    let end: SwarmError;
    try {
      for await (const event of watchAgents(this.#connection, {
        ...filter,
        signal,
        onInterruption,
      })) {
        const step = applyWatchEvent({ ...this.#mirror, agents: this.#agents }, event);
        const { revision, synced, collected, differences } = step;
        this.#mirror = { revision, synced, collected };
        applyDifferences(this.#agents, differences);
        for (const difference of differences) {
          if (difference.kind === 'changed') this.#emitter.emit('changed', difference.agent, difference.previous);
          else this.#emitter.emit(difference.kind, difference.agent);
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
