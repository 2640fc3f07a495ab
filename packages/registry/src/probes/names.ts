// Addresses of host names. `dns.lookup` runs on libuv's small shared thread pool, so concurrent lookups are limited: one
// hanging host name starves neither file I/O nor other lookups.
import type { Clock } from '@hypercode/clock';
import { promises as dns, type LookupAddress } from 'node:dns';
import { ProbeFailure } from './probe-failure.ts';
import type { ProbeTime } from './probe-time.ts';

/** All addresses of a name, in the order to try them. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface NamesOptions {
  /** Default: `dns.lookup`, as the system resolves names. */
  lookup?: Lookup | undefined;
  /** An answer is late when it takes longer than this, in milliseconds. */
  lateMs: number;
  clock: Clock;
}

/** A probe that needs addresses. */
export interface LookupCaller {
  /** Ends the call; the lookup itself cannot be ended. */
  readonly signal: AbortSignal;
  /** Waiting for a turn does not count as work. */
  readonly time: Pick<ProbeTime, 'wait' | 'work'>;
}

type Addresses = readonly LookupAddress[];
/** Given to the callers that waited for a turn; they go on to wait for the answer. */
type Begun = { readonly answer: Promise<Addresses> };

/**
 * Concurrent lookups. libuv gives them two of its four threads, and the names of PostgreSQL and Redis are looked up there as
 * well.
 */
const MAX_LOOKUPS = 1;
/**
 * Late answers, good and bad, are valid for so long, in milliseconds: the callers did not receive them, and would look the name
 * up again and again.
 */
const LATE_VALID_MS = 60_000;

export class Names {
  readonly #options: NamesOptions;
  readonly #lookup: Lookup;
  readonly #underWay = new Map<string, Promise<Addresses>>();
  /** Names that wait for a turn, in order, with the callers that wait for each. */
  readonly #waiting = new Map<string, Set<(lookup: Begun) => void>>();
  /** Late answers, in the order in which they came. */
  readonly #late = new Map<string, { readonly answer: Promise<Addresses>; readonly at: number }>();

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#lookup = options.lookup ?? ((hostname) => dns.lookup(hostname, { all: true }));
  }

  /** Concurrent calls for a name share one lookup. Rejects with a `ProbeFailure`, or the signal's reason. */
  async find(hostname: string, { signal, time }: LookupCaller): Promise<Addresses> {
    this.#forgetLate();
    const known = this.#late.get(hostname)?.answer ?? this.#underWay.get(hostname);
    if (known !== undefined) return unlessAborted(known, signal);
    if (this.#underWay.size < MAX_LOOKUPS) return unlessAborted(this.#begin(hostname), signal);
    time.wait();
    const { answer } = await this.#turn(hostname, signal);
    time.work();
    return unlessAborted(answer, signal);
  }

  #turn(hostname: string, signal: AbortSignal): Promise<Begun> {
    return new Promise((resolve, reject) => {
      const waiting = this.#waiting.get(hostname) ?? new Set();
      this.#waiting.set(hostname, waiting);
      const enter = (begun: Begun) => {
        signal.removeEventListener('abort', leave);
        resolve(begun);
      };
      const leave = () => {
        waiting.delete(enter);
        if (waiting.size === 0) this.#waiting.delete(hostname);
        reject(signal.reason as Error);
      };
      waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #begin(hostname: string): Promise<Addresses> {
    const began = this.#options.clock.monotonicMs();
    const isLate = () => this.#options.clock.monotonicMs() - began > this.#options.lateMs;
    const answer = this.#lookup(hostname)
      .catch((cause: unknown) => {
        throw isLate()
          ? new ProbeFailure('timeout', 'the host name was not resolved in time', { cause })
          : new ProbeFailure('dns', 'the host name could not be resolved', { cause });
      })
      .finally(() => {
        this.#underWay.delete(hostname);
        if (isLate()) this.#late.set(hostname, { answer, at: this.#options.clock.monotonicMs() });
        this.#beginNext();
      });
    this.#underWay.set(hostname, answer);
    return answer;
  }

  #beginNext(): void {
    for (const [hostname, waiting] of this.#waiting) {
      if (this.#underWay.size >= MAX_LOOKUPS) return;
      this.#waiting.delete(hostname);
      const begun = { answer: this.#begin(hostname) };
      for (const enter of waiting) enter(begun);
    }
  }

  #forgetLate(): void {
    for (const [hostname, { at }] of this.#late) {
      if (this.#options.clock.monotonicMs() - at < LATE_VALID_MS) return;
      this.#late.delete(hostname);
    }
  }
}

function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
