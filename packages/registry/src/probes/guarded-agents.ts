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
  const plain = new PlainAgent(settings, guard, idle);
  const secure = new SecureAgent({ ...settings, rejectUnauthorized: true, ...(ca !== undefined && { ca }) }, guard, idle);
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
      // Off the promise, whose rejections would swallow what the socket throws.
      ([first, ...others]) =>
        setImmediate(() => {
          if (all) callback(null, [first, ...others]);
          else callback(null, first.address, first.family);
        }),
      (failure: Error) => setImmediate(() => callback(failure, '')),
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

type Connected = (error: Error | null, socket: Duplex) => void;

class PlainAgent extends http.Agent {
  readonly #guard: Guard;
  readonly #idle: IdleSockets;

  constructor(settings: http.AgentOptions, guard: Guard, idle: IdleSockets) {
    super(settings);
    this.#guard = guard;
    this.#idle = idle;
  }

  override createConnection(options: http.ClientRequestArgs, connected: Connected): Duplex | null | undefined {
    return open(this.#guard, this.#idle, { options, connected, connect: (to) => super.createConnection(to) });
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return keep(this.#idle, socket, () => super.keepSocketAlive(socket));
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    this.#idle.reused(socket);
    super.reuseSocket(socket, request);
  }
}

class SecureAgent extends https.Agent {
  readonly #guard: Guard;
  readonly #idle: IdleSockets;

  constructor(settings: https.AgentOptions, guard: Guard, idle: IdleSockets) {
    super(settings);
    this.#guard = guard;
    this.#idle = idle;
  }

  override createConnection(options: https.RequestOptions, connected: Connected): Duplex | null | undefined {
    return open(this.#guard, this.#idle, { options, connected, connect: (to) => super.createConnection(to) });
  }

  override keepSocketAlive(socket: Duplex): boolean {
    return keep(this.#idle, socket, () => super.keepSocketAlive(socket));
  }

  override reuseSocket(socket: Duplex, request: http.ClientRequest): void {
    this.#idle.reused(socket);
    super.reuseSocket(socket, request);
  }
}

interface Opening<Options> {
  options: Options;
  connected: Connected;
  connect: (options: Options) => Duplex | null | undefined;
}

function open<Options extends http.ClientRequestArgs>(
  guard: Guard,
  idle: IdleSockets,
  { options, connected, connect }: Opening<Options>,
): Duplex | null | undefined {
  const refusal = guard.refusal(options.host ?? '');
  if (refusal !== null) {
    // The agent looks at the error alone.
    connected(refusal, undefined as unknown as Duplex);
    return undefined;
  }
  const socket = connect({ ...options, lookup: guard.lookup });
  if (socket) idle.opened(socket);
  return socket;
}

/** `keepSocketAlive` of Node.js answers whether to keep the socket, though its declaration does not say so. */
function keep(idle: IdleSockets, socket: Duplex, decide: () => unknown): boolean {
  const kept = idle.mayKeep(socket) && decide() === true;
  if (kept) idle.kept(socket);
  return kept;
}
