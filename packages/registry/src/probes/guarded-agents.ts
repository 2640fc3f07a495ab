// Connections for probes: opened only to addresses that the rules permit, kept for a short while, and limited in number.
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Clock } from '@hypercode/clock';
import type { AddressRules, AddressVerdict } from './address-rules.ts';
import type { LookupCaller, Names } from './names.ts';
import { ProbeFailure } from './probe-failure.ts';

export interface GuardedAgentsOptions {
  allow: AddressRules;
  names: Names;
  /** PEM certificates to trust instead of those that Node.js trusts. */
  ca?: string | undefined;
  /** Unused connections in all. */
  maxIdleSockets: number;
  /** Unused connections to one origin. */
  maxIdleSocketsPerOrigin: number;
  clock: Clock;
}

/**
 * How long an unused connection is kept for the next probe, in milliseconds, unless the server announces less. It helps only
 * where it is longer than the time between two probes.
 */
const KEEP_ALIVE_MS = 15_000;
/** The age from which a connection is not kept, in milliseconds, so that a name that moved is noticed. */
const MAX_SOCKET_AGE_MS = 300_000;

/** One for each scheme: `agents[url.protocol]`. */
export interface GuardedAgents {
  readonly 'http:': http.Agent;
  readonly 'https:': https.Agent;
  /**
   * For requests to this host, the `lookup` that an agent needs to open a connection; of several addresses, only the
   * permitted are tried. Rejects with a `ProbeFailure`, or the signal's reason.
   */
  lookupOf(hostname: string, caller: LookupCaller): Promise<LookupFunction>;
  /** Ends all connections. */
  destroy(): void;
}

export function guardedAgents(options: GuardedAgentsOptions): GuardedAgents {
  const { maxIdleSocketsPerOrigin, ca } = options;
  const idle = new IdleSockets(options);
  const guard = new Guard(options);
  const settings = { keepAlive: true, timeout: KEEP_ALIVE_MS, maxFreeSockets: maxIdleSocketsPerOrigin };
  const plain = guarded(new http.Agent(settings), guard, idle);
  const trust = { rejectUnauthorized: true, ...(ca !== undefined && { ca }) };
  const secure = guarded(new https.Agent({ ...settings, ...trust }), guard, idle);
  return {
    'http:': plain,
    'https:': secure,
    lookupOf: (hostname, caller) => guard.lookupOf(hostname, caller),
    destroy() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/** A request without a `lookup` needed a new connection to a host that is a name. */
export class Unresolved extends Error {
  override readonly name = 'Unresolved';
}

/**
 * Stands where the socket gets its address: what is judged is what is connected to, so a name that resolves differently
 * the next time gains nothing.
 */
class Guard {
  readonly #rules: AddressRules;
  readonly #names: Names;
  readonly #permitted = new WeakSet<LookupFunction>();

  constructor({ allow, names }: GuardedAgentsOptions) {
    this.#rules = allow;
    this.#names = names;
  }

  /** Why no connection may be opened; for a host that is an address, a socket asks no lookup. */
  refusal(host: string, lookup: LookupFunction | undefined): Error | null {
    if (isIP(host) === 0) return lookup !== undefined && this.#permitted.has(lookup) ? null : new Unresolved();
    const verdict = this.#rules.judge(host);
    return verdict === 'permitted' ? null : blocked([verdict]);
  }

  async lookupOf(hostname: string, caller: LookupCaller): Promise<LookupFunction> {
    const found = await this.#names.find(hostname, caller);
    if (found.length === 0) throw new ProbeFailure('dns', 'the host name has no address');
    const judged = found.map(({ address }) => ({
      address,
      family: isIP(address),
      verdict: this.#rules.judge(address),
    }));
    const [first, ...others] = judged.filter(({ verdict }) => verdict === 'permitted');
    if (first === undefined) throw blocked(judged.map(({ verdict }) => verdict));
    const lookup: LookupFunction = (_, { all }, callback) => {
      // Sockets do not expect an answer before they have asked.
      if (all) process.nextTick(callback, null, [first, ...others]);
      else process.nextTick(callback, null, first.address, first.family);
    };
    this.#permitted.add(lookup);
    return lookup;
  }
}

function blocked(verdicts: readonly AddressVerdict[]): ProbeFailure {
  const reason = verdicts.includes('local')
    ? 'the address is local or private, and SWARM_PROBE_ALLOW does not list it'
    : 'the address is in a range that is never probed';
  return new ProbeFailure('blocked', reason);
}

/** Which connections are kept, over both agents. */
class IdleSockets {
  readonly #options: GuardedAgentsOptions;
  readonly #idle = new Set<Duplex>();
  readonly #openedAt = new WeakMap<Duplex, number>();

  constructor(options: GuardedAgentsOptions) {
    this.#options = options;
  }

  opened(socket: Duplex): void {
    this.#openedAt.set(socket, this.#options.clock.monotonicMs());
    socket.once('close', () => this.#idle.delete(socket));
  }

  mayKeep(socket: Duplex): boolean {
    const { clock, maxIdleSockets } = this.#options;
    const ageMs = clock.monotonicMs() - (this.#openedAt.get(socket) ?? 0);
    return this.#idle.size < maxIdleSockets && ageMs < MAX_SOCKET_AGE_MS;
  }

  kept(socket: Duplex): void {
    this.#idle.add(socket);
  }

  reused(socket: Duplex): void {
    this.#idle.delete(socket);
  }
}

/** Puts the guard before what the agent opens, and the limits before what it keeps. */
function guarded<A extends http.Agent>(agent: A, guard: Guard, idle: IdleSockets): A {
  const connect = agent.createConnection.bind(agent);
  // It answers whether to keep the socket, though its declaration does not say so.
  const wouldKeep: (socket: Duplex) => unknown = agent.keepSocketAlive.bind(agent);
  const reuse = agent.reuseSocket.bind(agent);
  const overrides: Pick<http.Agent, 'createConnection' | 'keepSocketAlive' | 'reuseSocket'> = {
    createConnection(options, connected) {
      const refusal = guard.refusal(options.host ?? '', options.lookup);
      if (refusal !== null) {
        // The agent reads only the error.
        connected?.(refusal, undefined as unknown as Duplex);
        return undefined;
      }
      const socket = connect(options);
      if (socket) idle.opened(socket);
      return socket;
    },
    keepSocketAlive(socket) {
      const keep = idle.mayKeep(socket) && wouldKeep(socket) === true;
      if (keep) idle.kept(socket);
      return keep;
    },
    reuseSocket(socket, request) {
      idle.reused(socket);
      reuse(socket, request);
    },
  };
  return Object.assign(agent, overrides);
}
