// The live view of one namespace: agents, overview, plans and notices of the core, over one connection. One source for all screens.
import {
  type AgentDirectory,
  type AgentSummary,
  createSwarmClient,
  type PlanView,
  type SwarmClient,
  type SwarmError,
  type SwarmEvent,
  type SwarmOverview,
} from '@hypercode/client';
import { type Clock, systemClock } from '@hypercode/clock';
import { SwarmError as Refusal } from '@hypercode/contracts';
import { type AgentChanges, AgentList } from './agent-list.ts';
import { type AgentTally, NO_AGENTS } from './agent-tally.ts';
import type { FeedState } from './feed-state.ts';
import { inSlices } from './slices.ts';
import { Store } from './store.ts';

export interface AgentsView {
  readonly feed: FeedState;
  readonly revision: number;
  /** By name. */
  readonly agents: readonly AgentSummary[];
  readonly tally: AgentTally;
}

export interface OverviewView {
  readonly feed: FeedState;
  readonly overview: SwarmOverview | null;
}

export interface PlansView {
  readonly feed: FeedState;
  /** The newest first. */
  readonly plans: readonly PlanView[];
}

export interface Notice {
  readonly position: string;
  readonly event: SwarmEvent;
}

export interface NoticesView {
  readonly feed: FeedState;
  /** Where the log of events stands, as far as it was read. */
  readonly position: string | null;
  /** What the core published itself since the page was opened, the newest first. */
  readonly notices: readonly Notice[];
}

export interface LiveSwarmOptions {
  readonly url: string;
  readonly namespace: string;
  /** The key of the session. */
  readonly session: () => string;
  /** The core takes the session no more. */
  readonly onSessionEnd: (reason: string) => void;
  readonly clock?: Clock;
}

/** A screen that is drawn more often than this shows nothing that a person can follow. Milliseconds. */
const DRAW_MS = 200;
const MAX_NOTICES = 200;
const OPENING: FeedState = { state: 'opening' };
const LIVE: FeedState = { state: 'live' };

/**
 * Opened for one namespace, and closed when the namespace changes, at sign-out, or with the page. Each view goes on by itself after a
 * lost connection, and keeps what it has until then.
 */
export class LiveSwarm {
  readonly namespace: string;
  readonly client: SwarmClient;
  readonly agents = new Store<AgentsView>({ feed: OPENING, revision: 0, agents: [], tally: NO_AGENTS });
  readonly overview = new Store<OverviewView>({ feed: OPENING, overview: null });
  readonly plans = new Store<PlansView>({ feed: OPENING, plans: [] });
  readonly notices = new Store<NoticesView>({ feed: OPENING, position: null, notices: [] });
  readonly #clock: Clock;
  readonly #onSessionEnd: (reason: string) => void;
  readonly #end = new AbortController();
  readonly #directory: AgentDirectory<AgentSummary>;

  constructor({ url, namespace, session, onSessionEnd, clock = systemClock }: LiveSwarmOptions) {
    this.namespace = namespace;
    this.#clock = clock;
    this.#onSessionEnd = onSessionEnd;
    this.client = createSwarmClient({ url, namespace, session, logger: false });
    this.#directory = this.client.directory({ view: 'summary' });
    this.#followAgents();
    void this.#followOverview();
    void this.#followPlans();
    void this.#followNotices();
  }

  async close(): Promise<void> {
    this.#end.abort();
    await this.client.close();
  }

  #followAgents(): void {
    const directory = this.#directory;
    const list = new AgentList();
    let feed: FeedState = OPENING;
    let changes = new Map<string, AgentSummary | null>();
    const draw = this.#drawing(async () => {
      const { revision } = directory;
      const since: AgentChanges = changes;
      changes = new Map();
      const listed = await inSlices(list.after(since), this.#end);
      if (listed !== undefined) this.agents.set({ feed, revision, ...listed });
    });
    directory.on('synced', () => {
      feed = LIVE;
      draw();
    });
    const change = (name: string, agent: AgentSummary | null): void => {
      changes.set(name, agent);
      draw();
    };
    directory.on('added', (agent) => change(agent.name, agent));
    directory.on('changed', (agent) => change(agent.name, agent));
    directory.on('removed', ({ name }) => change(name, null));
    directory.on('interrupted', (error) => {
      feed = this.#interrupted(feed, error);
      draw();
    });
    directory.on('error', (error) => {
      feed = this.#refused(error);
      draw();
    });
  }

  async #followOverview(): Promise<void> {
    const set = (change: Partial<OverviewView>) => this.overview.set({ ...this.overview.get(), ...change });
    await this.#follow(
      set,
      () => this.overview.get().feed,
      async (options) => {
        for await (const overview of this.client.overview(options)) set({ feed: LIVE, overview });
      },
    );
  }

  async #followPlans(): Promise<void> {
    const known = new Map<string, PlanView>();
    let feed: FeedState = OPENING;
    /** Since the stream began, while it has not sent each plan once. */
    let seen: Set<string> | null = new Set();
    const draw = this.#drawing(() => {
      const plans = [...known.values()].toSorted((a, b) => (a.submittedAt > b.submittedAt ? -1 : 1));
      this.plans.set({ feed, plans });
    });
    const set = (change: { feed: FeedState }) => {
      ({ feed } = change);
      draw();
    };
    await this.#follow(
      set,
      () => feed,
      async ({ signal, onInterruption }) => {
        const interrupted = (error: SwarmError): void => {
          seen = new Set();
          onInterruption(error);
        };
        for await (const event of this.client.plans.watch({ signal, onInterruption: interrupted })) {
          if (event.type === 'plan') {
            known.set(event.plan.planId, event.plan);
            seen?.add(event.plan.planId);
          } else if (event.type === 'reset') {
            seen = new Set();
          } else {
            for (const id of known.keys()) if (seen?.has(id) === false) known.delete(id);
            seen = null;
            feed = LIVE;
          }
          draw();
        }
      },
    );
  }

  async #followNotices(): Promise<void> {
    const set = (change: Partial<NoticesView>) => this.notices.set({ ...this.notices.get(), ...change });
    await this.#follow(
      set,
      () => this.notices.get().feed,
      async ({ signal, onInterruption }) => {
        const stream = this.client.subscribe({ topics: ['system.>'], signal, onInterruption });
        for await (const item of stream) {
          const { notices } = this.notices.get();
          if (item.type === 'event') {
            const notice = { position: item.position, event: item.event };
            set({ feed: LIVE, position: item.position, notices: [notice, ...notices].slice(0, MAX_NOTICES) });
          } else if (item.type === 'bookmark') {
            set({ feed: LIVE, position: item.position });
          }
        }
      },
    );
  }

  /** Runs a live view until the page is closed or it is refused for good. */
  async #follow(
    set: (change: { feed: FeedState }) => void,
    feed: () => FeedState,
    run: (options: { signal: AbortSignal; onInterruption: (error: SwarmError) => void }) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#end;
    const onInterruption = (error: SwarmError): void => set({ feed: this.#interrupted(feed(), error) });
    try {
      await run({ signal, onInterruption });
    } catch (error) {
      if (!signal.aborted) set({ feed: this.#refused(Refusal.from(error)) });
    }
  }

  #interrupted(before: FeedState, error: SwarmError): FeedState {
    const sinceMs = before.state === 'interrupted' ? before.sinceMs : this.#clock.epochMs();
    return { state: 'interrupted', sinceMs, reason: error.message };
  }

  #refused(error: SwarmError): FeedState {
    if (error.code === 'UNAUTHENTICATED') this.#onSessionEnd('Your session has ended. Sign in again.');
    return { state: 'refused', reason: error.message };
  }

  /** Gathers changes: what is drawn is at most `DRAW_MS` old, when the page has time. One drawing ends before the next one begins. */
  #drawing(draw: () => void | Promise<void>): () => void {
    let isPlanned = false;
    let isWanted = false;
    const plan = (): void => {
      isWanted = true;
      if (isPlanned || this.#end.signal.aborted) return;
      isPlanned = true;
      this.#clock.schedule(DRAW_MS, async () => {
        isWanted = false;
        if (!this.#end.signal.aborted) await draw();
        isPlanned = false;
        if (isWanted) plan();
      });
    };
    return plan;
  }
}
