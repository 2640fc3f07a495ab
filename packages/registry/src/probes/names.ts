// Addresses of host names. `dns.lookup` runs on libuv's small shared thread pool, so concurrent lookups are limited: one
// hanging host name starves neither file I/O nor other lookups.
import type { Clock } from '@hypercode/clock';
import { promises as dns, type LookupAddress } from 'node:dns';
import { FairQueue } from './fair-queue.ts';
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
  /** On whose behalf: namespaces share the time of lookups. */
  readonly namespace: string;
  /** Ends the call; the lookup itself cannot be ended. */
  readonly signal: AbortSignal;
  /** Waiting for a turn does not count as work. */
  readonly time: Pick<ProbeTime, 'wait' | 'work'>;
}

type Addresses = readonly LookupAddress[];
/** Given to the callers that waited for a turn; they go on to wait for the answer. */
type Begun = { readonly answer: Promise<Addresses> };
/** The callers that wait for the turn of a name. Empty when all have left: their next probe finds the answer. */
type Waiting = Set<(lookup: Begun) => void>;

/** A late answer, good or bad. */
interface Late {
  readonly answer: Promise<Addresses>;
  readonly at: number;
  /** How long the name is not looked up again, in milliseconds. */
  readonly validMs: number;
}

/**
 * Concurrent lookups. libuv gives them two of its four threads, and the names of PostgreSQL and Redis are looked up there as
 * well.
 */
const MAX_LOOKUPS = 1;
/**
 * For how long a name is not looked up again whose answer was late, in milliseconds: the callers did not receive it, and would
 * look the name up again and again. Doubles with each late answer in a row.
 */
const BACK_OFF_MS = 60_000;
const MAX_BACK_OFF_MS = 3_600_000;
/** How long the last good answer serves probes that would have to wait, in milliseconds ("serve stale", RFC 8767). */
const KEPT_MS = 3_600_000;
/** Names that are remembered for being late, and for their good answers; beyond that the oldest are forgotten. */
const MAX_REMEMBERED = 10_000;
/** Most names of a namespace that wait for a turn with no caller left. */
const MAX_LEFT = 1000;

/**
 * One lookup at a time. Namespaces share the time of lookups (`FairQueue`), so that names which hang delay those of their own
 * namespace, and another one by one lookup at most. A name that has to wait is served with its last good answer meanwhile; the
 * addresses are judged each time, as always.
 */
export class Names {
  readonly #options: NamesOptions;
  readonly #lookup: Lookup;
  readonly #underWay = new Map<string, Promise<Addresses>>();
  readonly #waiting = new FairQueue<Waiting>();
  /** In the order in which they came. */
  readonly #late = new Map<string, Late>();
  /** The last good answers, oldest first. */
  readonly #kept = new Map<string, { readonly addresses: Addresses; readonly at: number }>();

  constructor(options: NamesOptions) {
    this.#options = options;
    this.#lookup = options.lookup ?? ((hostname) => dns.lookup(hostname, { all: true }));
  }

  /** Concurrent calls for a name share one lookup. Rejects with a `ProbeFailure`, or the signal's reason. */
  async find(hostname: string, caller: LookupCaller): Promise<Addresses> {
    const { namespace, signal, time } = caller;
    const kept = this.#keptOf(hostname);
    const late = this.#lateOf(hostname);
    if (late !== null) return kept ?? unlessAborted(late.answer, signal);
    const running = this.#underWay.get(hostname);
    if (running !== undefined) return kept ?? unlessAborted(running, signal);
    if (this.#underWay.size < MAX_LOOKUPS) return unlessAborted(this.#begin(hostname, namespace), signal);
    if (kept !== null) {
      this.#queue(hostname, namespace);
      return kept;
    }
    time.wait();
    const { answer } = await this.#turn(hostname, caller);
    time.work();
    return unlessAborted(answer, signal);
  }

  #queue(hostname: string, namespace: string): Waiting {
    const known = this.#waiting.get(namespace, hostname);
    if (known !== undefined) return known;
    const waiting: Waiting = new Set();
    this.#waiting.add(namespace, hostname, waiting);
    return waiting;
  }

  #turn(hostname: string, { namespace, signal }: LookupCaller): Promise<Begun> {
    return new Promise((resolve, reject) => {
      const waiting = this.#queue(hostname, namespace);
      const enter = (begun: Begun) => {
        signal.removeEventListener('abort', leave);
        resolve(begun);
      };
      const leave = () => {
        waiting.delete(enter);
        if (waiting.size === 0 && this.#waiting.size(namespace) > MAX_LEFT) this.#waiting.remove(namespace, hostname);
        reject(signal.reason as Error);
      };
      waiting.add(enter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #begin(hostname: string, namespace: string): Promise<Addresses> {
    const { clock, lateMs } = this.#options;
    const began = clock.monotonicMs();
    const isLate = () => clock.monotonicMs() - began > lateMs;
    const answer = this.#lookup(hostname)
      .then((addresses) => {
        remember(this.#kept, hostname, { addresses, at: clock.monotonicMs() });
        return addresses;
      })
      .catch((cause: unknown) => {
        if (isLate()) throw new ProbeFailure('timeout', 'the host name was not resolved in time', { cause });
        this.#kept.delete(hostname);
        throw new ProbeFailure('dns', 'the host name could not be resolved', { cause });
      })
      .finally(() => {
        this.#underWay.delete(hostname);
        this.#waiting.charge(namespace, clock.monotonicMs() - began);
        if (isLate()) this.#noteLate(hostname, answer);
        else this.#late.delete(hostname);
        this.#beginNext();
      });
    this.#underWay.set(hostname, answer);
    return answer;
  }

  #beginNext(): void {
    while (this.#underWay.size < MAX_LOOKUPS) {
      const next = this.#waiting.next();
      if (next === null) return;
      const { owner, key: hostname, item: waiting } = next;
      // Another namespace may have asked for the same name meanwhile.
      const answer = this.#lateOf(hostname)?.answer ?? this.#begin(hostname, owner);
      answer.catch(() => undefined);
      for (const enter of waiting) enter({ answer });
    }
  }

  #noteLate(hostname: string, answer: Promise<Addresses>): void {
    const before = this.#late.get(hostname)?.validMs ?? BACK_OFF_MS / 2;
    const validMs = Math.min(2 * before, MAX_BACK_OFF_MS);
    remember(this.#late, hostname, { answer, at: this.#options.clock.monotonicMs(), validMs });
  }

  /** The late answer of a name that is not looked up now. How late it was is remembered for as long again. */
  #lateOf(hostname: string): Late | null {
    const late = this.#late.get(hostname);
    if (late === undefined) return null;
    const ageMs = this.#options.clock.monotonicMs() - late.at;
    if (ageMs >= 2 * late.validMs) this.#late.delete(hostname);
    return ageMs < late.validMs ? late : null;
  }

  #keptOf(hostname: string): Addresses | null {
    const kept = this.#kept.get(hostname);
    if (kept === undefined) return null;
    if (this.#options.clock.monotonicMs() - kept.at < KEPT_MS) return kept.addresses;
    this.#kept.delete(hostname);
    return null;
  }
}

/** As the newest of at most `MAX_REMEMBERED`. */
function remember<Value>(all: Map<string, Value>, hostname: string, value: Value): void {
  all.delete(hostname);
  all.set(hostname, value);
  if (all.size <= MAX_REMEMBERED) return;
  const [oldest] = all.keys();
  if (oldest !== undefined) all.delete(oldest);
}

function unlessAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error);
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
