// Asks one `healthUrl` whether the agent there is well, and says what came of it. What to do about it is not decided here.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { LookupFunction } from 'node:net';
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
  /** Which addresses may be probed. */
  allow: AddressRules;
  /** Default: `dns.lookup`, as the system resolves names. */
  lookup?: Lookup;
  /** PEM certificates to trust instead of those that Node.js trusts. */
  ca?: string;
  /**
   * How long an unused connection is kept for the next probe, unless the server announces less. Default 15,000; helps
   * only if it is longer than the time between two probes.
   */
  keepAliveMs?: number;
  /** The age from which a connection is not kept, so that moved names are noticed. Default 300,000. */
  maxSocketAgeMs?: number;
  /** Connections kept unused, in all. Default 1,000. */
  maxIdleSockets?: number;
  /**
   * How long a probe waits for its turns before it is given up. Default 5,000; to be so short that it is over before the same
   * agent is due again.
   */
  maxWaitMs?: number;
  /** Probes at once, in all. Default 512. */
  maxConcurrent?: number;
  /** Probes at once of one origin, so that nobody is flooded by many agents that name it. Default 32. */
  maxConcurrentPerOrigin?: number;
  /**
   * Look-ups of host names at once. Default 1: libuv gives them two of its four threads, and PostgreSQL and Redis are found
   * by name as well.
   */
  maxLookups?: number;
}

export type ProbeResult =
  | {
      ok: true;
      /** 2xx. */
      status: number;
      ms: number;
      /** What the body's `activity`, or else `status`, says; null when it says none of them. */
      activity: Activity | null;
    }
  | {
      ok: false;
      kind: ProbeFailureKind;
      /** For people; nothing internal. */
      reason: string;
      ms: number;
    };

/** What is read of a body. */
const MAX_BODY_BYTES = 64 * 1024;
const MAX_HEADER_BYTES = 16 * 1024;
/** 1xx answers before the real one. */
const MAX_INFORMATIONAL = 16;

const HEADERS = { 'user-agent': 'hypercode-swarm-probe', accept: 'application/json' };

type Answer = Pick<Extract<ProbeResult, { ok: true }>, 'status' | 'activity'>;

/** Sends GET without credentials, follows no redirects, and connects to permitted addresses only. */
export class Prober {
  readonly #timeoutMs: number;
  readonly #maxWaitMs: number;
  readonly #agents: GuardedAgents;
  readonly #turns: Turns;
  readonly #turnsPerOrigin: number;
  readonly #origins = new Map<string, Turns>();
  readonly #running = new Map<AbortController, Promise<ProbeResult>>();
  #closed = false;

  constructor(options: ProberOptions) {
    const { timeoutMs, allow, lookup, ca, keepAliveMs = 15_000, maxSocketAgeMs = 300_000 } = options;
    const { maxIdleSockets = 1_000, maxWaitMs = 5000, maxConcurrent = 512, maxConcurrentPerOrigin = 32 } = options;
    const { maxLookups = 1 } = options;
    this.#timeoutMs = timeoutMs;
    this.#maxWaitMs = maxWaitMs;
    this.#turns = new Turns(maxConcurrent);
    this.#turnsPerOrigin = maxConcurrentPerOrigin;
    const idle = { keepAliveMs, maxSocketAgeMs, maxIdleSockets, maxIdleSocketsPerOrigin: maxConcurrentPerOrigin };
    const names = new Names({ lookup, maxLookups, lateMs: timeoutMs });
    this.#agents = guardedAgents({ allow, names, ca, ...idle });
  }

  /**
   * Never rejects. Where too many probes run, or host names are looked up, it waits for its turn: that takes none of its
   * time, and is not in `ms`. After too long a wait it ends as `aborted`, so that those of an origin that hangs do not pile up, and at once
   * when the signal aborts.
   */
  async probe(url: string, signal?: AbortSignal): Promise<ProbeResult> {
    const target = parseTarget(url);
    if (target instanceof ProbeFailure) return failed(target, 0);
    if (this.#closed || signal?.aborted) return failed(givenUp(), 0);
    const ending = new AbortController();
    const giveUp = () => ending.abort(givenUp());
    signal?.addEventListener('abort', giveUp, { once: true });
    const running = this.#inTurn(target, ending);
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

  async #inTurn(target: URL, ending: AbortController): Promise<ProbeResult> {
    const here = this.#origins.get(target.origin) ?? new Turns(this.#turnsPerOrigin);
    this.#origins.set(target.origin, here);
    const time = new ProbeTime({
      maxWaitMs: this.#maxWaitMs,
      timeoutMs: this.#timeoutMs,
      onWaitedTooLong: () => ending.abort(crowded()),
      onTimeout: () => ending.abort(tooSlow(this.#timeoutMs)),
    });
    try {
      time.wait();
      // The origin's first: who waits for it must not hold up the others.
      await here.take(ending.signal);
      try {
        const answer = await this.#answerOf(target, ending.signal, time);
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

  async #answerOf(target: URL, signal: AbortSignal, time: ProbeTime): Promise<Answer> {
    let lookup: LookupFunction | undefined;
    for (;;) {
      time.wait();
      await this.#turns.take(signal);
      time.work();
      const answer = await ask(target, { agents: this.#agents, lookup, signal }).finally(() => this.#turns.give());
      // Without a turn: names that hang must not take those of who needs no look-up.
      if (answer === 'unresolved') lookup = await this.#agents.lookupOf(target.hostname, { signal, time });
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
  let said: { activity?: unknown; status?: unknown };
  try {
    said = JSON.parse(body) as typeof said;
  } catch {
    return null;
  }
  const known = (value: unknown) => Activity.options.find((activity) => activity === value);
  return known(said.activity) ?? known(said.status) ?? null;
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
const crowded = () => new ProbeFailure('aborted', 'too many other probes were running');
const tooSlow = (timeoutMs: number) => new ProbeFailure('timeout', `no complete answer within ${timeoutMs} ms`);
const tooLarge = () => new ProbeFailure('too_large', `the answer is larger than ${MAX_BODY_BYTES / 1024} KiB`);

function badStatus(status: number): ProbeFailure {
  if (status < 300 || status > 399) return new ProbeFailure('status', `the healthUrl answered with status ${status}`);
  return new ProbeFailure('redirect', `the healthUrl answered with a redirect (${status}), which is not followed`);
}

const failed = ({ kind, message }: ProbeFailure, ms: number): ProbeResult => ({ ok: false, kind, reason: message, ms });
