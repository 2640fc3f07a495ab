// From a token to the principal that it stands for: from memory when the token is known, with one shared lookup when not.
import type { Clock } from '@hypercode/clock';
import { type Activity, type CircuitState, type Health, SwarmError } from '@hypercode/contracts';
import { coalesce, Recheck, type Signal } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { LRUCache } from 'lru-cache';
import { timingSafeEqual } from 'node:crypto';
import { type Change, isRemoval } from '../changes/change.ts';
import type { ChangeFeed, ChangeLog, FollowedChanges } from '../changes/change-log.ts';
import type { Schema } from '../schema.ts';
import type { AgentMirror, MirroredStatus } from './agent-mirror.ts';
import { Identity } from './identity.ts';
import { LentIdentity, type Tenure } from './lent-identity.ts';
import type { AgentPrincipal, JoinPrincipal, Principal } from './principal.ts';
import { findMadeAgents, type MadeAgentRow } from './queries/find-made-agents.ts';
import { findTokens, type TokenRow } from './queries/find-tokens.ts';
import { readTokenEpoch } from './queries/operator-tokens.ts';
import { hashToken, looksMinted } from './token-format.ts';
import type { TokenUses } from './token-uses.ts';

const MAX_KNOWN = 50_000;
/** How long a revoked or expired token can go on being used on another replica when the wake-up was lost. */
const CHECK_INTERVAL_MS = 750;
const TOKENS_CHANNEL = 'registry-tokens';
/** For tokens of the configuration: they do not expire and belong to no change log. */
const NOT_FOLLOWED = { expiresAtMs: null, followed: null, agent: null };

export interface StaticToken {
  token: string;
  principal: Principal;
}

export interface IdentitiesOptions {
  db: Kysely<Schema>;
  changes: ChangeLog;
  /** Holds the agents whose tokens are known. */
  mirror: AgentMirror;
  signal: Signal;
  /** The lease of agents that asked for none, in milliseconds. */
  leaseMs: number;
  /** Tokens of the configuration; they are in no table. */
  staticTokens: StaticToken[];
  /** Is notified of every use of a token that is in a table. */
  uses: Pick<TokenUses, 'note'>;
  clock: Clock;
  onError: (error: unknown) => void;
  /**
   * Known tokens kept in memory; default 50,000. A token that was dropped costs one lookup more. Tests set less: to have one
   * dropped of so many takes as many lookups.
   */
  maxKnown?: number;
}

/**
 * Memory follows the store: agents' tokens through the change log, operators' through an epoch that every revocation
 * moves and every replica polls. With the store away, known tokens go on counting.
 */
export class Identities {
  readonly #options: IdentitiesOptions;
  readonly #static: { hash: Buffer; identity: Identity }[];
  readonly #known: LRUCache<string, Identity>;
  /** Identities of agents, known or listened to, by namespace and name. */
  readonly #byAgent = new Map<string, Set<Identity>>();
  /** Identities of operators, known or listened to. */
  readonly #operators = new Set<Identity>();
  readonly #lookUp: (hash: string) => Promise<TokenRow | undefined>;
  readonly #lookUpAgent: (key: string) => Promise<MadeAgentRow | undefined>;
  readonly #followed = new Map<string, () => void>();
  readonly #unsubscribe: () => void;
  readonly #recheck: Recheck;
  #epoch: number | null = null;
  #closed = false;

  constructor(options: IdentitiesOptions) {
    this.#options = options;
    this.#known = new LRUCache({
      max: options.maxKnown ?? MAX_KNOWN,
      dispose: (identity) => {
        if (!identity.watched) this.#unindex(identity);
      },
    });
    this.#static = options.staticTokens.map(({ token, principal }) => {
      const hash = hashToken(token);
      return { hash, identity: new Identity(hash.toString('hex'), principal, NOT_FOLLOWED) };
    });
    this.#lookUp = coalesce((hashes) => findTokens(options.db, hashes));
    this.#lookUpAgent = coalesce((keys) => findMadeAgents(options.db, keys));
    const { clock, onError } = options;
    const check = () => this.#checkOperators();
    this.#recheck = new Recheck({ clock, intervalMs: CHECK_INTERVAL_MS, check, onError });
    this.#unsubscribe = options.signal.subscribe(TOKENS_CHANNEL, () => void this.#recheck.now());
  }

  /** The identity of `token`. Throws UNAUTHENTICATED, FENCED, or what the store's failure means. */
  async recognise(token: string): Promise<Identity> {
    return this.recogniseKnown(token) ?? this.#learn(hashToken(token).toString('hex'));
  }

  /** The same for a token that memory has, as nearly every call's; null for one that takes a lookup. Throws as `recognise` does. */
  recogniseKnown(token: string): Identity | null {
    const hash = hashToken(token);
    for (const known of this.#static) if (timingSafeEqual(known.hash, hash)) return known.identity;
    const known = this.#known.get(hash.toString('hex'));
    if (known !== undefined) return this.#inForce(known);
    if (!looksMinted(token)) throw unauthenticated('unknown token');
    return null;
  }

  /** The identity of the token with this hash, in hexadecimal, as a session names it. Throws as `recognise` does. */
  async recogniseHash(hash: string): Promise<Identity> {
    return this.recogniseKnownHash(hash) ?? this.#learn(hash);
  }

  /** The same for a token that memory has; null for one that takes a lookup. Throws as `recognise` does. */
  recogniseKnownHash(hash: string): Identity | null {
    const known = this.#static.find(({ identity }) => identity.hash === hash)?.identity;
    if (known !== undefined) return known;
    const learnt = this.#known.get(hash);
    return learnt === undefined ? null : this.#inForce(learnt);
  }

  /** The identity of a caller who has the rights of a token for a time. */
  lend(token: Identity, tenure: Tenure): Identity {
    return new LentIdentity(token, tenure, (released) => this.released(released));
  }

  /**
   * The identity of an agent, for a caller who has the join token that made it. It is found in the table of agents, so every replica
   * finds it, also after a restart. It ends with the agent, with the token, and when a process with an incarnation of its own takes the
   * name over. FORBIDDEN when this token made no such agent, FENCED, or what the store's failure means.
   */
  async recogniseMade(token: Identity, by: JoinPrincipal, name: string): Promise<Identity> {
    const key = `${token.hash} ${name}`;
    const known = this.#known.get(key);
    // One that has ended may have been made again.
    const agent = known?.refusal === null ? known : await this.#learnMade(key, by, name);
    agent.touch();
    return this.lend(agent, {
      expiresAtMs: token.expiresAtMs,
      get refusal() {
        return token.refusal;
      },
      onEnd: (listener) => {
        const forget = token.onEnd(listener);
        return () => {
          forget();
          this.released(token);
        };
      },
    });
  }

  /** The join token, as one that registers only names that are free, and names that it has registered itself. */
  ofOwnNames(token: Identity, by: JoinPrincipal): Identity {
    const { hash, expiresAtMs } = token;
    const principal = { ...by, names: by.names ?? ['*'] };
    return new Identity(hash, principal, { expiresAtMs, followed: null, agent: null });
  }

  /** Takes in what this replica has committed, before its feed does: what ends here ends at once. */
  committed(changes: readonly Change[]): void {
    for (const change of changes) this.#apply(change);
  }

  /** Ends an operator's token that was revoked: here at once, and on the other replicas when they are notified. */
  revoked(id: string): void {
    for (const identity of this.#operators) {
      if (identity.principal.id === id) this.#end(identity, unauthenticated('the token was revoked'));
    }
    this.#options.signal.notify(TOKENS_CHANNEL);
  }

  /** Takes back what `onEnd` keeps in memory for identities that are known no longer; the token may be, as another identity. */
  released(identity: Identity): void {
    if (!identity.watched && this.#known.peek(identity.hash) !== identity) this.#unindex(identity);
  }

  /** The agents that have a stream open on this replica. */
  streaming(): AgentPrincipal[] {
    const streaming: AgentPrincipal[] = [];
    for (const identities of this.#byAgent.values()) {
      const open = [...identities].find(({ isStreaming, refusal }) => isStreaming && refusal === null);
      if (open !== undefined) streaming.push(open.principal as AgentPrincipal);
    }
    return streaming;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#unsubscribe();
    for (const unfollow of this.#followed.values()) unfollow();
    await this.#recheck.close();
  }

  #inForce(identity: Identity): Identity {
    if (identity.expiresAtMs !== null && identity.expiresAtMs <= this.#options.clock.epochMs()) {
      this.#end(identity, unauthenticated('the token has expired'));
    }
    if (identity.refusal !== null) throw identity.refusal;
    identity.touch();
    this.#options.uses.note(identity);
    return identity;
  }

  async #learn(hash: string): Promise<Identity> {
    const epoch = this.#epoch;
    const row = await this.#lookUp(hash);
    if (row === undefined) throw unauthenticated('unknown or revoked token');
    const followed = row.kind === 'agent' ? await this.#follow(row.namespace) : null;
    // Nothing is awaited from here on, so whatever ends the token finds it in memory or was seen by the look-up.
    const known = this.#known.get(hash);
    // Another call may have learnt the same token meanwhile; streams must be ended by one identity.
    if (known !== undefined) return this.#inForce(known);
    const identity = identify(row, followed, this.#options.leaseMs);
    if (followed === null ? epoch !== this.#epoch : !isCurrent(row, followed.feed)) return this.#learn(hash);
    this.#known.set(hash, identity);
    this.#index(identity);
    return this.#inForce(identity);
  }

  async #learnMade(key: string, by: JoinPrincipal, name: string): Promise<Identity> {
    const { namespace } = by;
    const row = await this.#lookUpAgent(agentKey({ namespace, name }));
    if (row === undefined || row.registered_by !== by.id) throw notMade();
    if (row.current_incarnation !== null) throw fenced();
    const followed = await this.#follow(namespace);
    // As in `#learn`: nothing is awaited from here on.
    const known = this.#known.get(key);
    if (known?.refusal === null) return known;
    if (!isCurrent(row, followed.feed)) return this.#learnMade(key, by, name);
    const identity = identify({ ...row, hash: key, id: by.id }, followed, this.#options.leaseMs);
    // Sets `dispose` of the one that has ended, if there is one, to work.
    this.#known.set(key, identity);
    this.#index(identity);
    return identity;
  }

  async #follow(namespace: string): Promise<FollowedChanges> {
    const followed = await this.#options.changes.follow(namespace);
    if (this.#followed.has(namespace) || this.#closed) return followed;
    const { feed } = followed;
    const unfollow = feed.onEntries((changes) => {
      // A log that was released is followed again when a token of the namespace is used.
      if (feed.closed) this.#followed.delete(namespace);
      if (changes === null) this.#forgetNamespace(namespace);
      else for (const change of changes) this.#apply(change);
    });
    this.#followed.set(namespace, unfollow);
    return followed;
  }

  #apply(applied: Change): void {
    const { change, before, after, position } = applied;
    this.#options.mirror.apply(applied);
    const identities = this.#byAgent.get(agentKey(after));
    if (identities === undefined) return;
    for (const identity of identities) {
      const principal = identity.principal as AgentPrincipal;
      // The token was read from the store when this had happened already.
      if (position <= (identity.agent?.revision ?? 0)) continue;
      if (isRemoval(change)) {
        // Tokens of superseded processes stay fenced; those of the last one end.
        if (principal.incarnation === (before ?? after).incarnation) {
          this.#end(identity, unauthenticated('the agent has been removed'));
        }
      } else if (principal.agentId === after.id && principal.incarnation !== after.incarnation) {
        identity.end(fenced());
      }
    }
  }

  /** Changes may have been missed: everything about the namespace is looked up again when it is needed. */
  #forgetNamespace(namespace: string): void {
    for (const identities of this.#byAgent.values()) {
      for (const identity of identities) {
        if (identity.principal.kind !== 'agent' || identity.principal.namespace !== namespace) continue;
        this.#end(identity, unavailable('the connection to the change log was interrupted'));
      }
    }
  }

  #end(identity: Identity, refusal: SwarmError): void {
    identity.end(refusal);
    if (this.#known.peek(identity.hash) === identity) this.#known.delete(identity.hash);
    this.#unindex(identity);
  }

  #index(identity: Identity): void {
    const { principal } = identity;
    if (principal.kind !== 'agent') {
      this.#operators.add(identity);
      return;
    }
    const key = agentKey(principal);
    const identities = this.#byAgent.get(key) ?? new Set();
    this.#byAgent.set(key, identities.add(identity));
    if (identity.agent !== null) this.#options.mirror.retain(principal.agentId, identity.agent);
  }

  #unindex(identity: Identity): void {
    const { principal } = identity;
    this.#operators.delete(identity);
    if (principal.kind !== 'agent') return;
    const key = agentKey(principal);
    const identities = this.#byAgent.get(key);
    if (identities?.delete(identity)) this.#options.mirror.release(principal.agentId);
    if (identities?.size === 0) this.#byAgent.delete(key);
  }

  /** Ends operators' tokens that have expired or were revoked. */
  async #checkOperators(): Promise<void> {
    const now = this.#options.clock.epochMs();
    for (const identity of this.#operators) {
      if (identity.expiresAtMs !== null && identity.expiresAtMs <= now) {
        this.#end(identity, unauthenticated('the token has expired'));
      }
    }
    if (this.#operators.size === 0) return;
    const epoch = await readTokenEpoch(this.#options.db);
    if (epoch === this.#epoch) return;
    const operators = [...this.#operators];
    // Before the look-up: a token that is learnt meanwhile sees it and is looked up again.
    this.#epoch = epoch;
    const found = await findTokens(
      this.#options.db,
      operators.map(({ hash }) => hash),
    ).catch((error: unknown) => {
      this.#epoch = null;
      throw error;
    });
    for (const identity of operators) {
      if (!found.has(identity.hash)) this.#end(identity, unauthenticated('the token was revoked'));
    }
  }
}

const agentKey = ({ namespace, name }: { namespace: string; name: string }): string => `${namespace}/${name}`;
const unauthenticated = (message: string): SwarmError => new SwarmError('UNAUTHENTICATED', message);
const unavailable = (message: string): SwarmError => new SwarmError('UNAVAILABLE', message);
const fenced = (): SwarmError => new SwarmError('FENCED', 'a newer process of this agent has taken over');
const notMade = (): SwarmError => new SwarmError('FORBIDDEN', 'this token has made no agent of this name');

/** Whether the feed holds nothing newer about the agent than the row: else memory would miss it for good. */
function isCurrent({ name, head }: Pick<TokenRow, 'name' | 'head'>, { ring, end }: ChangeFeed): boolean {
  if (end <= head) return true;
  return ring.reaches(head) && !ring.after(head, end - head).some(({ after }) => after.name === name);
}

/** The identity that a stored token stands for. Throws when its agent was removed or has another process. */
function identify(row: TokenRow, followed: FollowedChanges | null, coreLeaseMs: number): Identity {
  const { hash, id, name, namespace } = row;
  const life = { expiresAtMs: row.expires_at?.getTime() ?? null, followed, agent: null };
  switch (row.kind) {
    case 'admin':
      return new Identity(hash, { kind: 'admin', id, name }, life);
    case 'operator':
    case 'viewer':
      return new Identity(hash, { kind: row.kind, id, name, namespace }, life);
    case 'join': {
      const { roles, names, limited } = row;
      return new Identity(hash, { kind: 'join', id, name, namespace, roles: roles ?? '*', names, limited }, life);
    }
    case 'agent': {
      if (row.fenced) throw fenced();
      if (row.current_id === null || row.current_id !== row.agent_id)
        throw unauthenticated('the agent has been removed');
      if (row.incarnation !== row.current_incarnation) throw fenced();
      const principal: AgentPrincipal = {
        kind: 'agent',
        id,
        namespace,
        name,
        agentId: row.current_id,
        incarnation: row.incarnation,
        role: row.current_role ?? '',
      };
      return new Identity(hash, principal, { ...life, agent: statusIn(row, coreLeaseMs) });
    }
  }
}

const statusIn = (row: TokenRow, coreLeaseMs: number): MirroredStatus => ({
  revision: row.current_revision ?? 0,
  activity: (row.current_activity ?? 'ready') as Activity,
  note: row.current_note,
  circuit: (row.current_circuit ?? 'closed') as CircuitState,
  circuitOpenUntilMs: row.current_open_until === null ? null : Date.parse(row.current_open_until),
  circuitReason: row.current_reason,
  health: (row.current_health ?? 'unknown') as Health,
  hasHealthUrl: row.has_health_url ?? false,
  leaseMs: row.current_lease_ms ?? coreLeaseMs,
});
