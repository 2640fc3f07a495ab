// What one caller may have open at this replica at a time: streams, topic patterns over its streams, and calls in flight.
import { SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';

export interface AllowanceLimits {
  readonly streams: number;
  /** Topic patterns over all of its streams. */
  readonly patterns: number;
  /** A waiting claim is a call. A batch over HTTP is one, and each call over a WebSocket. */
  readonly calls: number;
}

/** Operators, viewers and administrators act for many. The tokens of one agent share what the agent may have. */
const FACTOR_OF_OPERATORS = 5;
/** When a caller may try again, in milliseconds. */
const RETRY_MS = 1000;
/** Callers without anything open that are remembered, so that a caller which makes one call after another is not made anew. */
const IDLE_KEPT = 20_000;

/** What a caller has open. */
export interface Usage {
  readonly caller: string;
  streams: number;
  patterns: number;
  calls: number;
}

/** Whoever begins something ends it exactly once, however it ends. */
export class Allowances {
  readonly #limits: AllowanceLimits | null;
  readonly #used = new Map<string, Usage>();

  /** Null: no limits. */
  constructor(limits: AllowanceLimits | null) {
    this.#limits = limits;
  }

  /** RATE_LIMITED when the caller has too many calls in flight. Give the usage to `endCall`. */
  beginCall(principal: Principal): Usage {
    const usage = this.#usageOf(principal);
    this.#assertRoom(principal, 'calls', usage.calls + 1);
    usage.calls += 1;
    return usage;
  }

  endCall(usage: Usage): void {
    usage.calls -= 1;
    this.#forgetIdle(usage);
  }

  /** RATE_LIMITED when the caller has too many streams, or patterns over them. Call the returned function when the stream has ended. */
  beginStream(principal: Principal, patterns: number): () => void {
    const usage = this.#usageOf(principal);
    this.#assertRoom(principal, 'streams', usage.streams + 1);
    this.#assertRoom(principal, 'patterns', usage.patterns + patterns);
    usage.streams += 1;
    usage.patterns += patterns;
    return () => {
      usage.streams -= 1;
      usage.patterns -= patterns;
      this.#forgetIdle(usage);
    };
  }

  /** What is open of all callers. */
  get open(): { streams: number; calls: number } {
    const usages = [...this.#used.values()];
    return {
      streams: usages.reduce((sum, { streams }) => sum + streams, 0),
      calls: usages.reduce((sum, { calls }) => sum + calls, 0),
    };
  }

  #usageOf(principal: Principal): Usage {
    const caller = callerKey(principal);
    let usage = this.#used.get(caller);
    if (usage === undefined) this.#used.set(caller, (usage = { caller, streams: 0, patterns: 0, calls: 0 }));
    return usage;
  }

  #assertRoom({ kind }: Principal, limit: keyof AllowanceLimits, wanted: number): void {
    // A whole fleet that starts registers with one join token at once; how often it may is `RegistrationRates`.
    if (this.#limits === null || kind === 'join') return;
    const max = this.#limits[limit] * (kind === 'agent' ? 1 : FACTOR_OF_OPERATORS);
    if (wanted <= max) return;
    throw new SwarmError('RATE_LIMITED', `more than ${max} ${WORDS[limit]} at a time`, {
      details: { limit, max },
      retryAfterMs: RETRY_MS,
    });
  }

  #forgetIdle({ caller, streams, calls }: Usage): void {
    if (this.#used.size > IDLE_KEPT && streams === 0 && calls === 0) this.#used.delete(caller);
  }
}

const WORDS: Readonly<Record<keyof AllowanceLimits, string>> = {
  streams: 'open streams',
  patterns: 'topic patterns in open streams',
  calls: 'calls in flight',
};

/** The agent, whichever of its tokens it uses; otherwise the token. */
export const callerKey = (principal: Principal): string =>
  principal.kind === 'agent' ? principal.agentId : principal.id;
