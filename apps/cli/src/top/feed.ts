// What feeds `top`: the directory of agents, the overview, plans, and topics, which are read when the overview has changed. Nothing is
// polled.
import { type PlanView, SwarmError, type SwarmClient } from '@hypercode/client';
import type { Clock } from '@hypercode/clock';
import { EMPTY_VIEW, type SwarmView } from './swarm-view.ts';

/** Plans that have ended and are still shown. */
const ENDED_PLANS = 50;
const TOPICS = 500;

export interface FeedOptions {
  readonly client: SwarmClient;
  readonly clock: Clock;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 *   following ──a stream is lost──> out ──it sends again──> following
 *   following, out ──`signal`, or a refusal that no retry can help──> ended
 */
export class Feed {
  /** Resolves when it has ended by `signal`; rejects with the refusal. */
  readonly ended: Promise<void>;
  readonly #options: FeedOptions;
  readonly #end = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #plans = new Map<string, PlanView>();
  /** Streams that are lost now. */
  readonly #lost = new Set<string>();
  #view = EMPTY_VIEW;
  #areTopicsStale = false;
  #isReadingTopics = false;
  #refuse: (error: unknown) => void = () => {};

  constructor(options: FeedOptions) {
    this.#options = options;
    this.ended = this.#follow();
  }

  get view(): SwarmView {
    return this.#view;
  }

  /** Calls `listener` at each change; the returned function ends that. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  async #follow(): Promise<void> {
    const { client, signal } = this.#options;
    const end = (): void => this.#end.abort();
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    await using directory = client.directory({ view: 'summary' });
    const setAgents = (): void => this.#set({ agents: directory.list() });
    for (const event of ['added', 'changed', 'removed'] as const) directory.on(event, setAgents);
    directory.on('synced', () => {
      this.#found('agents');
      setAgents();
    });
    directory.on('interrupted', () => this.#lose('agents'));
    const refused = new Promise<never>((_resolve, reject) => (this.#refuse = reject));
    refused.catch(() => {});
    directory.on('error', (error) => this.#refuse(error));
    try {
      await Promise.race([Promise.all([this.#followOverview(), this.#followPlans()]), refused]);
    } finally {
      this.#end.abort();
      signal.removeEventListener('abort', end);
    }
  }

  async #followOverview(): Promise<void> {
    const { client } = this.#options;
    const stream = client.overview({ signal: this.#end.signal, onInterruption: () => this.#lose('overview') });
    for await (const overview of stream) {
      this.#found('overview');
      this.#set({ overview });
      void this.#readTopics();
    }
  }

  async #followPlans(): Promise<void> {
    const { client } = this.#options;
    const stream = client.plans.watch({ signal: this.#end.signal, onInterruption: () => this.#lose('plans') });
    for await (const event of stream) {
      this.#found('plans');
      if (event.type === 'reset') this.#plans.clear();
      if (event.type === 'plan') this.#plans.set(event.plan.planId, event.plan);
      this.#dropEnded();
      const plans = [...this.#plans.values()].toSorted((a, b) => (a.submittedAt < b.submittedAt ? 1 : -1));
      this.#set({ plans });
    }
  }

  #dropEnded(): void {
    const ended = [...this.#plans.values()].filter(({ endedAt }) => endedAt !== null);
    for (const { planId } of ended.slice(0, Math.max(0, ended.length - ENDED_PLANS))) this.#plans.delete(planId);
  }

  /** One at a time; what grows meanwhile is read afterwards. */
  async #readTopics(): Promise<void> {
    this.#areTopicsStale = true;
    if (this.#isReadingTopics) return;
    this.#isReadingTopics = true;
    try {
      while (this.#areTopicsStale && !this.#end.signal.aborted) {
        this.#areTopicsStale = false;
        const { topics } = await this.#options.client.bus.topics({ limit: TOPICS }, { signal: this.#end.signal });
        this.#set({ topics: topics.toSorted((a, b) => b.perSecond - a.perSecond || b.count - a.count) });
      }
    } catch (error) {
      // The overview reports an outage; the topics follow with its next value.
      if (!SwarmError.from(error).retryable && !this.#end.signal.aborted) this.#refuse(error);
    } finally {
      this.#isReadingTopics = false;
    }
  }

  #lose(stream: string): void {
    this.#lost.add(stream);
    if (this.#view.outSinceMs === null) this.#set({ outSinceMs: this.#options.clock.epochMs() });
  }

  #found(stream: string): void {
    if (this.#lost.delete(stream) && this.#lost.size === 0) this.#set({ outSinceMs: null });
  }

  #set(change: Partial<SwarmView>): void {
    this.#view = { ...this.#view, ...change };
    for (const listener of this.#listeners) listener();
  }
}
