// Addresses of host names. The system resolves them in a few threads that it shares with others, so one name that hangs must
// take neither the threads of others nor the time of other names.
import { promises as dns, type LookupAddress } from 'node:dns';
import { ProbeFailure } from './probe-failure.ts';
import type { ProbeTime } from './probe-time.ts';

/** All addresses of a name, in the order to try them. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface NamesOptions {
  /** Default: `dns.lookup`, as the system resolves names. */
  lookup?: Lookup | undefined;
  /** Look-ups at once. */
  maxLookups: number;
  /** An answer is late when it takes longer than this, in milliseconds. */
  lateMs: number;
  monotonicNow?: () => number;
}

/** Who needs addresses. */
export interface Asker {
  /** Ends the asking, whatever the look-up does: nothing can end that. */
  readonly signal: AbortSignal;
  /** Waiting for a turn is none of its work. */
  readonly time: Pick<ProbeTime, 'wait' | 'work'>;
}

type Addresses = readonly LookupAddress[];
/** Told to those who waited for it to begin; they go on to wait for the answer. */
type Begun = { readonly answer: Promise<Addresses> };

/**
 * Late answers, good and bad, are valid for so long, in milliseconds: whoever asked for them did not hear them, and would
 * ask for them again and again.
 */
const LATE_VALID_MS = 60_000;

export class Names {
  readonly #options: NamesOptions;
  readonly #lookup: Lookup;
  readonly #now: () => number;
  readonly #underWay = new Map<string, Promise<Addresses>>();
  /** Names that wait for a turn, in order, and who hears of it. */
  readonly #waiting = new Map<string, Set<(lookup: Begun) => void>>();
  /** In the order in which they came. */
  readonly #late = new Map<string, { readonly answer: Promise<Addresses>; readonly at: number }>();

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#lookup = options.lookup ?? ((hostname) => dns.lookup(hostname, { all: true }));
    this.#now = options.monotonicNow ?? (() => performance.now());
  }

  /** Whoever asks for a name while it is looked up gets the same answer. Rejects with a `ProbeFailure`, or the signal's reason. */
  async find(hostname: string, { signal, time }: Asker): Promise<Addresses> {
    this.#forgetLate();
    const known = this.#late.get(hostname)?.answer ?? this.#underWay.get(hostname);
    if (known !== undefined) return unlessAborted(known, signal);
    if (this.#underWay.size < this.#options.maxLookups) return unlessAborted(this.#begin(hostname), signal);
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
    const began = this.#now();
    const isLate = () => this.#now() - began > this.#options.lateMs;
    const answer = this.#lookup(hostname)
      .catch((cause: unknown) => {
        throw isLate()
          ? new ProbeFailure('timeout', 'the host name was not resolved in time', { cause })
          : new ProbeFailure('dns', 'the host name could not be resolved', { cause });
      })
      .finally(() => {
        this.#underWay.delete(hostname);
        if (isLate()) this.#late.set(hostname, { answer, at: this.#now() });
        this.#beginNext();
      });
    this.#underWay.set(hostname, answer);
    return answer;
  }

  #beginNext(): void {
    for (const [hostname, waiting] of this.#waiting) {
      if (this.#underWay.size >= this.#options.maxLookups) return;
      this.#waiting.delete(hostname);
      const begun = { answer: this.#begin(hostname) };
      for (const enter of waiting) enter(begun);
    }
  }

  #forgetLate(): void {
    for (const [hostname, { at }] of this.#late) {
      if (this.#now() - at < LATE_VALID_MS) return;
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
