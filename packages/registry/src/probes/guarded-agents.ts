// Connections for probes: opened only to addresses that the rules permit, kept for a short while, never too many.
import { promises as dns, type LookupAddress } from 'node:dns';
import http from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AddressRules, AddressVerdict } from './address-rules.ts';
import { ProbeFailure } from './probe-failure.ts';

/** All addresses of a name, in the order to try them. */
export type Lookup = (hostname: string) => Promise<readonly LookupAddress[]>;

export interface GuardedAgentsOptions {
  allow: AddressRules;
  /** Default: `dns.lookup`, as the system resolves names. */
  lookup?: Lookup | undefined;
  /** PEM certificates to trust instead of those that Node.js trusts. */
  ca?: string | undefined;
  /** How long an unused connection is kept. */
  keepAliveMs: number;
  /** The age from which a connection is not kept for another probe. */
  maxSocketAgeMs: number;
  /** Unused connections in all. */
  maxIdleSockets: number;
  /** Unused connections to one origin. */
  maxIdleSocketsPerOrigin: number;
}

/** One for each scheme: `agents[url.protocol]`. */
export interface GuardedAgents {
  readonly 'http:': http.Agent;
  readonly 'https:': https.Agent;
  /** Ends all connections. */
  destroy(): void;
}

export function guardedAgents(options: GuardedAgentsOptions): GuardedAgents {
  const { keepAliveMs, maxIdleSocketsPerOrigin, ca } = options;
  const idle = new IdleSockets(options);
  const guard = new Guard(options);
  const settings = { keepAlive: true, timeout: keepAliveMs, maxFreeSockets: maxIdleSocketsPerOrigin };
  const plain = guarded(new http.Agent(settings), guard, idle);
  const trust = { rejectUnauthorized: true, ...(ca !== undefined && { ca }) };
  const secure = guarded(new https.Agent({ ...settings, ...trust }), guard, idle);
  return {
    'http:': plain,
    'https:': secure,
    destroy() {
      plain.destroy();
      secure.destroy();
    },
  };
}

/**
 * Stands where the socket gets its address: what is judged is what is connected to, so a name that resolves differently
 * the next time gains nothing. Of several addresses of a name, only the permitted are tried.
 */
class Guard {
  readonly #rules: AddressRules;
  readonly #resolve: Lookup;

  constructor({ allow, lookup }: GuardedAgentsOptions) {
    this.#rules = allow;
    this.#resolve = lookup ?? ((hostname) => dns.lookup(hostname, { all: true }));
  }

  /** The refusal of a host that is an address, for which a socket asks no lookup. */
  refusal(host: string): ProbeFailure | null {
    if (isIP(host) === 0) return null;
    const verdict = this.#rules.judge(host);
    return verdict === 'permitted' ? null : blocked([verdict]);
  }

  readonly lookup: LookupFunction = (hostname, { all }, callback) => {
    this.#permitted(hostname).then(
      ([first, ...others]) => {
        if (all) callback(null, [first, ...others]);
        else callback(null, first.address, first.family);
      },
      (failure: unknown) => callback(failure as Error, ''),
    );
  };

  async #permitted(hostname: string): Promise<[LookupAddress, ...LookupAddress[]]> {
    const found = await this.#resolve(hostname).catch((cause: unknown) => {
      throw new ProbeFailure('dns', 'the host name could not be resolved', { cause });
    });
    if (found.length === 0) throw new ProbeFailure('dns', 'the host name has no address');
    const judged = found.map(({ address }) => ({
      address,
      family: isIP(address),
      verdict: this.#rules.judge(address),
    }));
    const [first, ...others] = judged.filter(({ verdict }) => verdict === 'permitted');
    if (first === undefined) throw blocked(judged.map(({ verdict }) => verdict));
    return [first, ...others];
  }
}

function blocked(verdicts: readonly AddressVerdict[]): ProbeFailure {
  const reason = verdicts.includes('local')
    ? 'the address is local or private, and SWARM_PROBE_ALLOW does not list it'
    : 'the address is of a kind that is never probed';
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
    this.#openedAt.set(socket, performance.now());
    socket.once('close', () => this.#idle.delete(socket));
  }

  mayKeep(socket: Duplex): boolean {
    const ageMs = performance.now() - (this.#openedAt.get(socket) ?? 0);
    return this.#idle.size < this.#options.maxIdleSockets && ageMs < this.#options.maxSocketAgeMs;
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
      const refusal = guard.refusal(options.host ?? '');
      if (refusal !== null) {
        // The agent looks at the error alone.
        connected?.(refusal, undefined as unknown as Duplex);
        return undefined;
      }
      const socket = connect({ ...options, lookup: guard.lookup });
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
