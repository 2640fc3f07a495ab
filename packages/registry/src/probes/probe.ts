// Asks one `healthUrl` whether the agent there is well, and returns what came back. What that means is decided in liveness.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Clock } from '@hypercode/clock';
import { Activity } from '@hypercode/contracts';
import type { AddressRules } from './address-rules.ts';
import { type GuardedAgents, guardedAgents, Unresolved } from './guarded-agents.ts';
import { type Lookup, Names } from './names.ts';
import { ProbeFailure, type ProbeFailureKind } from './probe-failure.ts';
import { ProbeTime } from './probe-time.ts';
import { Turns } from './turns.ts';

export interface ProberOptions {
  /** For one probe as a whole: resolving, connecting, headers and body. */
  timeoutMs: number;
  /** How long a probe waits for its turns before it is given up, in milliseconds. */
  maxWaitMs: number;
  /** Which addresses may be probed. */
  allow: AddressRules;
  clock: Clock;
  /** Default: `dns.lookup`, as the system resolves names. */
  lookup?: Lookup;
  /** PEM certificates to trust instead of those that Node.js trusts. */
  ca?: string;
  /** Default: `PROBE_LIMITS`. Tests set less, since to reach those takes hundreds of connections. */
  limits?: Partial<ProbeLimits>;
}

export interface ProbeLimits {
  /** Connections kept unused. */
  maxIdleSockets: number;
  /** Probes at once. */
  maxConcurrent: number;
  /** Probes of one origin at once, so that many agents with the same origin cannot have it flooded. */
  maxConcurrentPerOrigin: number;
}

const PROBE_LIMITS: ProbeLimits = { maxIdleSockets: 1_000, maxConcurrent: 512, maxConcurrentPerOrigin: 32 };

export type ProbeResult =
  | {
      ok: true;
      /** 2xx. */
      status: number;
      ms: number;
      /** The body's `activity`, or else `status`; null when neither is an activity. */
      activity: Activity | null;
    }
  | {
      ok: false;
      kind: ProbeFailureKind;
      /** For people; nothing internal. */
      reason: string;
      ms: number;
    };

/** Most that is read of a body. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** 1xx answers before the real one. */
const MAX_INFORMATIONAL = 16;

const HEADERS = { 'user-agent': 'hypercode-swarm-probe', accept: 'application/json' };

type Answer = Pick<Extract<ProbeResult, { ok: true }>, 'status' | 'activity'>;

/** Sends GET without credentials, follows no redirects, and connects to permitted addresses only. */
export class Prober {
  readonly #options: ProberOptions;
  readonly #agents: GuardedAgents;
  readonly #turns: Turns;
  readonly #turnsPerOrigin: number;
  readonly #origins = new Map<string, Turns>();
  readonly #running = new Map<AbortController, Promise<ProbeResult>>();
  #closed = false;

  constructor(options: ProberOptions) {
    const { timeoutMs, allow, clock, lookup, ca } = options;
    const { maxIdleSockets, maxConcurrent, maxConcurrentPerOrigin } = { ...PROBE_LIMITS, ...options.limits };
    this.#options = options;
    this.#turns = new Turns(maxConcurrent);
    this.#turnsPerOrigin = maxConcurrentPerOrigin;
    const names = new Names({ lookup, lateMs: timeoutMs, clock });
    const idle = { maxIdleSockets, maxIdleSocketsPerOrigin: maxConcurrentPerOrigin };
    this.#agents = guardedAgents({ allow, names, ca, clock, ...idle });
  }

  /**
   * Never rejects. Where too many probes run, or host names are looked up, it waits for its turn: that takes none of its
   * time, and is not in `ms`. After too long a wait it ends as `unprobed`, so that probes of an origin that hangs do not pile
   * up. When the signal aborts, it ends as `aborted` at once. Namespaces share the time in which host names are looked up.
   */
  async probe(url: string, signal?: AbortSignal, { namespace = '' } = {}): Promise<ProbeResult> {
    const target = parseTarget(url);
    if (target instanceof ProbeFailure) return failed(target, 0);
    if (this.#closed || signal?.aborted) return failed(givenUp(), 0);
    const ending = new AbortController();
    const giveUp = () => ending.abort(givenUp());
    signal?.addEventListener('abort', giveUp, { once: true });
    const running = this.#inTurn(target, ending, namespace);
    this.#running.set(ending, running);
    try {
      return await running;
    } finally {
      this.#running.delete(ending);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /** Ends the running probes as `aborted`, and all connections. */
  async close(): Promise<void> {
    this.#closed = true;
    const running = [...this.#running.values()];
    for (const ending of this.#running.keys()) ending.abort(givenUp());
    await Promise.all(running);
    this.#agents.destroy();
  }

  async #inTurn(target: URL, ending: AbortController, namespace: string): Promise<ProbeResult> {
    const here = this.#origins.get(target.origin) ?? new Turns(this.#turnsPerOrigin);
    this.#origins.set(target.origin, here);
    const { maxWaitMs, timeoutMs, clock } = this.#options;
    const { signal } = ending;
    let notBegun = crowded;
    const time = new ProbeTime({
      clock,
      maxWaitMs,
      timeoutMs,
      onWaitedTooLong: () => ending.abort(notBegun()),
      onTimeout: () => ending.abort(tooSlow(timeoutMs)),
    });
    try {
      time.wait();
      // The origin's turn first: a probe that waits for it must not hold up probes of other origins.
      await here.take(signal);
      try {
        const answer = await this.#answerOf(target, signal, time, () => {
          notBegun = unresolved;
          return this.#agents.lookupOf(target.hostname, { namespace, signal, time });
        });
        time.stop();
        return { ok: true, ...answer, ms: Math.round(time.workedMs) };
      } finally {
        here.give();
        if (here.idle) this.#origins.delete(target.origin);
      }
    } catch (error) {
      time.stop();
      return failed(ProbeFailure.from(error, target.protocol === 'https:'), Math.round(time.workedMs));
    }
  }

  async #answerOf(
    target: URL,
    signal: AbortSignal,
    time: ProbeTime,
    lookUp: () => Promise<LookupFunction>,
  ): Promise<Answer> {
    let lookup: LookupFunction | undefined;
    for (;;) {
      time.wait();
      await this.#turns.take(signal);
      time.work();
      const answer = await ask(target, { agents: this.#agents, lookup, signal }).finally(() => this.#turns.give());
      // Without a turn: names that hang must not take the turns of probes that need no lookup.
      if (answer === 'unresolved') lookup = await lookUp();
      else if (answer !== 'stale') return answer;
    }
  }
}

interface Asking {
  readonly agents: GuardedAgents;
  readonly lookup: LookupFunction | undefined;
  readonly signal: AbortSignal;
}

/**
 * One request. `stale` when it went into a kept connection that the server had just ended, and is worth another try;
 * `unresolved` when there was none, and a new one needs a lookup of the host's name.
 */
function ask(target: URL, { agents, lookup, signal }: Asking): Promise<Answer | 'stale' | 'unresolved'> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const settings = { headers: HEADERS, maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false, lookup };
    const request =
      target.protocol === 'https:'
        ? https.request(target, { ...settings, agent: agents['https:'] })
        : http.request(target, { ...settings, agent: agents['http:'] });
    const fail = (error: Error) => {
      signal.removeEventListener('abort', abort);
      reject(error);
      request.destroy();
    };
    const abort = () => fail(ProbeFailure.from(signal.reason, false));
    signal.addEventListener('abort', abort, { once: true });
    const untilAnswered = (error: Error) => {
      const isStale = request.reusedSocket && ProbeFailure.from(error, false).kind === 'reset';
      if (!isStale && !(error instanceof Unresolved)) return fail(error);
      signal.removeEventListener('abort', abort);
      resolve(isStale ? 'stale' : 'unresolved');
    };
    request.on('error', untilAnswered);
    let informational = 0;
    request.on('information', () => {
      informational += 1;
      if (informational > MAX_INFORMATIONAL) fail(tooLarge());
    });
    // The informational answer that would hand the connection over.
    request.on('upgrade', ({ statusCode = 101 }, socket) => {
      socket.destroy();
      fail(badStatus(statusCode));
    });
    request.on('response', (response) => {
      request.off('error', untilAnswered).on('error', fail);
      readAnswer(response, fail, (answer) => {
        signal.removeEventListener('abort', abort);
        resolve(answer);
      });
    });
    request.end();
  });
}

function readAnswer(response: IncomingMessage, fail: (error: Error) => void, done: (answer: Answer) => void): void {
  const { statusCode: status = 0, headers } = response;
  response.on('error', fail);
  if (status < 200 || status > 299) return fail(badStatus(status));
  if (Number(headers['content-length'] ?? 0) > MAX_BODY_BYTES) return fail(tooLarge());
  const chunks: Buffer[] = [];
  let bytes = 0;
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) fail(tooLarge());
    else chunks.push(chunk);
  });
  response.on('end', () => done({ status, activity: readActivity(Buffer.concat(chunks).toString()) }));
}

function readActivity(body: string): Activity | null {
  // Many answer with a plain "OK"; a failing parser costs more than the whole rest of the reading.
  if (!body.trimStart().startsWith('{')) return null;
  let report: { activity?: unknown; status?: unknown };
  try {
    report = JSON.parse(body) as typeof report;
  } catch {
    return null;
  }
  const known = (value: unknown) => Activity.options.find((activity) => activity === value);
  return known(report.activity) ?? known(report.status) ?? null;
}

function parseTarget(url: string): URL | ProbeFailure {
  const target = URL.canParse(url) ? new URL(url) : null;
  if (target === null) return new ProbeFailure('invalid', 'the URL is not valid');
  const { protocol, username, password, port } = target;
  if (protocol !== 'http:' && protocol !== 'https:') return new ProbeFailure('invalid', 'the URL is not http or https');
  if (username !== '' || password !== '') return new ProbeFailure('invalid', 'the URL contains credentials');
  // Node.js takes it for none and goes to the scheme's port.
  return port === '0' ? new ProbeFailure('invalid', 'the URL names port 0') : target;
}

const givenUp = () => new ProbeFailure('aborted', 'the probe was cancelled before an answer came');
const crowded = () => new ProbeFailure('unprobed', 'too many other probes were running');
const unresolved = () => new ProbeFailure('unprobed', 'its host name waited for other host names to be looked up');
const tooSlow = (timeoutMs: number) => new ProbeFailure('timeout', `no complete answer within ${timeoutMs} ms`);
const tooLarge = () => new ProbeFailure('too_large', `the answer is larger than ${MAX_BODY_BYTES / 1024} KiB`);

function badStatus(status: number): ProbeFailure {
  if (status < 300 || status > 399) return new ProbeFailure('status', `the healthUrl answered with status ${status}`);
  return new ProbeFailure('redirect', `the healthUrl answered with a redirect (${status}), which is not followed`);
}

const failed = ({ kind, message }: ProbeFailure, ms: number): ProbeResult => ({ ok: false, kind, reason: message, ms });
