// Asks one `healthUrl` whether the agent there is well, and says what came of it. What to do about it is not decided here.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Activity } from '@hypercode/contracts';
import type { AddressRules } from './address-rules.ts';
import { type GuardedAgents, guardedAgents, type Lookup } from './guarded-agents.ts';
import { ProbeFailure, type ProbeFailureKind } from './probe-failure.ts';
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
   * How long a probe waits for its turn before it is given up. Default 5,000; to be so short that it is over before the same
   * agent is due again.
   */
  maxWaitMs?: number;
  /** Probes at once, in all. Default 512. */
  maxConcurrent?: number;
  /** Probes at once of one origin, so that nobody is flooded by many agents that name it. Default 32. */
  maxConcurrentPerOrigin?: number;
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
    this.#timeoutMs = timeoutMs;
    this.#maxWaitMs = maxWaitMs;
    this.#turns = new Turns(maxConcurrent);
    this.#turnsPerOrigin = maxConcurrentPerOrigin;
    const idle = { keepAliveMs, maxSocketAgeMs, maxIdleSockets, maxIdleSocketsPerOrigin: maxConcurrentPerOrigin };
    this.#agents = guardedAgents({ allow, lookup, ca, ...idle });
  }

  /**
   * Never rejects. Where too many probes run, it first waits for its turn: that takes none of its time, and is not in
   * `ms`. After too long a wait it ends as `aborted`, so that those of an origin that hangs do not pile up, and at once
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
    const noTurn = setTimeout(() => ending.abort(crowded()), this.#maxWaitMs);
    try {
      // The origin's first: who waits for it must not hold up the others.
      await here.take(ending.signal);
      try {
        await this.#turns.take(ending.signal);
        clearTimeout(noTurn);
        try {
          return await this.#inTime(target, ending);
        } finally {
          this.#turns.give();
        }
      } finally {
        here.give();
        if (here.idle) this.#origins.delete(target.origin);
      }
    } catch (error) {
      return failed(ProbeFailure.from(error, false), 0);
    } finally {
      clearTimeout(noTurn);
    }
  }

  async #inTime(target: URL, ending: AbortController): Promise<ProbeResult> {
    const startedAt = performance.now();
    const elapsedMs = () => Math.round(performance.now() - startedAt);
    const late = () => ending.abort(new ProbeFailure('timeout', `no complete answer within ${this.#timeoutMs} ms`));
    const timer = setTimeout(late, this.#timeoutMs);
    try {
      let answer: Answer | 'stale';
      do answer = await ask(target, this.#agents, ending.signal);
      while (answer === 'stale');
      return { ok: true, ...answer, ms: elapsedMs() };
    } catch (error) {
      return failed(ProbeFailure.from(error, target.protocol === 'https:'), elapsedMs());
    } finally {
      clearTimeout(timer);
    }
  }
}

/** One request. `stale` when it went into a kept connection that the server had just ended, and is worth another try. */
function ask(target: URL, agents: GuardedAgents, signal: AbortSignal): Promise<Answer | 'stale'> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const settings = { headers: HEADERS, maxHeaderSize: MAX_HEADER_BYTES, insecureHTTPParser: false };
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
    const staleUntilAnswered = (error: Error) => {
      if (!request.reusedSocket || ProbeFailure.from(error, false).kind !== 'reset') return fail(error);
      signal.removeEventListener('abort', abort);
      resolve('stale');
    };
    request.on('error', staleUntilAnswered);
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
      request.off('error', staleUntilAnswered).on('error', fail);
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

const givenUp = () => new ProbeFailure('aborted', 'the probe was given up before there was an answer');
const crowded = () => new ProbeFailure('aborted', 'too many other probes were under way');
const tooLarge = () => new ProbeFailure('too_large', `the answer is larger than ${MAX_BODY_BYTES / 1024} KiB`);

function badStatus(status: number): ProbeFailure {
  if (status < 300 || status > 399) return new ProbeFailure('status', `it answered with status ${status}`);
  return new ProbeFailure('redirect', `it answered with a redirect (${status}), which is not followed`);
}

const failed = ({ kind, message }: ProbeFailure, ms: number): ProbeResult => ({ ok: false, kind, reason: message, ms });
