// Sessions of browsers: opened with a token or a code, known by a key and a cookie together, ended on all replicas.
import { type Clock, repeat } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import { coalesce, Recheck, type Signal } from '@hypercode/feed';
import type { Kysely } from 'kysely';
import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Schema } from '../schema.ts';
import { deleteExpired } from './queries/delete-expired.ts';
import { deleteSession } from './queries/delete-session.ts';
import { findSessions, type SessionRow } from './queries/find-sessions.ts';
import { insertCode } from './queries/insert-code.ts';
import { insertSession } from './queries/insert-session.ts';
import { takeCode } from './queries/take-code.ts';
import { Session } from './session.ts';

export interface SessionsOptions {
  readonly db: Kysely<Schema>;
  readonly clock: Clock;
  readonly signal: Signal;
  /** How long a session lasts, in milliseconds. */
  readonly sessionMs: number;
  /** Called with failures in the background; what failed is tried again. */
  readonly onError: (error: unknown) => void;
}

/** What a browser proves a session with. */
export interface SessionProof {
  readonly key: string;
  /** One of them has to be the session's: another server of the same host may have set others. */
  readonly cookies: readonly string[];
}

export interface OpenedSession {
  readonly key: string;
  readonly cookie: string;
  readonly expiresAtMs: number;
}

/** How long a code counts, in milliseconds. */
const CODE_MS = 120_000;
/** 128 bits, and 256 bits. */
const CODE_BYTES = 16;
const SECRET_BYTES = 32;
const SECRET = /^[A-Za-z0-9_-]{43}$/;
/** How long a session that ended on another replica can go on counting here when the wake-up was lost, in milliseconds. */
const CHECK_INTERVAL_MS = 750;
/** How long a session without a stream is remembered after its last call, in milliseconds. */
const REMEMBER_MS = 60_000;
const RETENTION_INTERVAL_MS = 600_000;
const SESSIONS_CHANNEL = 'operations-sessions';

/**
 * Memory follows the database: a session that is in use is known, and looked up every 750 ms and at each wake-up, to end here when it
 * has ended there. While the database is unavailable, known sessions go on counting until their time has passed.
 */
export class Sessions {
  readonly #options: SessionsOptions;
  /** By the hash of their key; the time of the last use is monotonic, in milliseconds. */
  readonly #known = new Map<string, { readonly session: Session; usedAtMs: number }>();
  readonly #lookUp: (key: string) => Promise<SessionRow | undefined>;
  readonly #recheck: Recheck;
  readonly #ends: (() => void)[];

  constructor(options: SessionsOptions) {
    this.#options = options;
    const { db, clock, signal, onError } = options;
    this.#lookUp = coalesce((keys) => findSessions(db, keys));
    this.#recheck = new Recheck({ clock, intervalMs: CHECK_INTERVAL_MS, check: () => this.#check(), onError });
    this.#ends = [
      signal.subscribe(SESSIONS_CHANNEL, () => void this.#recheck.now()),
      repeat(clock, RETENTION_INTERVAL_MS, () => deleteExpired(db).catch(onError)),
    ];
  }

  /** A code that opens a session with the rights of the token, once, within two minutes. UNAVAILABLE. */
  async createCode(tokenHash: string): Promise<{ code: string; expiresAt: Date }> {
    const code = secret(CODE_BYTES);
    const token = Buffer.from(tokenHash, 'hex');
    const expiresAt = await insertCode(this.#options.db, { code: hashOf(code), token, lifeMs: CODE_MS });
    return { code, expiresAt };
  }

  /** Uses a code up. The hash of its token; null when it does not count. UNAVAILABLE. */
  takeCode(code: string): Promise<string | null> {
    return takeCode(this.#options.db, hashOf(code));
  }

  /**
   * Opens a session with the rights of a token. Of the cookies that the browser sent it keeps one that another of its sessions has.
   * UNAVAILABLE.
   */
  async open(
    tokenHash: string,
    { sentCookies, tokenExpiresAtMs }: { sentCookies: readonly string[]; tokenExpiresAtMs: number | null },
  ): Promise<OpenedSession> {
    const { db, sessionMs } = this.#options;
    const [key, newCookie] = [secret(SECRET_BYTES), secret(SECRET_BYTES)];
    const stored = await insertSession(db, {
      key: hashOf(key),
      token: Buffer.from(tokenHash, 'hex'),
      sentCookies: sentCookies.map(hashOf),
      newCookie: hashOf(newCookie),
      lifeMs: sessionMs,
      tokenExpiresAt: tokenExpiresAtMs === null ? null : new Date(tokenExpiresAtMs),
    });
    const kept = sentCookies.find((sent) => hashOf(sent).toString('hex') === stored.cookie);
    return { key, cookie: kept ?? newCookie, expiresAtMs: stored.expiresAt.getTime() };
  }

  /** The session that key and cookie prove. UNAUTHENTICATED, UNAVAILABLE. */
  async recognise(proof: SessionProof): Promise<Session> {
    const known = this.recogniseKnown(proof);
    if (known !== null) return known;
    const key = hashOf(proof.key).toString('hex');
    const row = await this.#lookUp(key);
    if (row === undefined) throw ended();
    const session = new Session({
      key,
      cookie: row.cookie,
      tokenHash: row.token,
      expiresAtMs: row.expires_at.getTime(),
    });
    // Another call may have found the same one meanwhile, and one session ends all streams.
    if (!this.#known.has(key)) this.#known.set(key, { session, usedAtMs: 0 });
    return this.recogniseKnown(proof) ?? session;
  }

  /** The same for a session that memory has; null for one that takes a look-up. UNAUTHENTICATED. */
  recogniseKnown({ key, cookies }: SessionProof): Session | null {
    if (!SECRET.test(key) || cookies.length === 0) throw ended();
    const known = this.#known.get(hashOf(key).toString('hex'));
    if (known === undefined) return null;
    const { clock } = this.#options;
    const { session } = known;
    const own = Buffer.from(session.cookie, 'hex');
    if (!cookies.some((cookie) => timingSafeEqual(own, hashOf(cookie)))) throw ended();
    if (session.expiresAtMs <= clock.epochMs()) this.#end(session);
    if (session.refusal !== null) throw session.refusal;
    known.usedAtMs = clock.monotonicMs();
    return session;
  }

  /** Ends a session: here at once, and on the other replicas when they are notified. Whether no other one uses its cookie. UNAVAILABLE. */
  async end(session: Session): Promise<{ wasLastOfCookie: boolean }> {
    const wasLastOfCookie = await deleteSession(this.#options.db, session.key);
    this.#end(session);
    this.#options.signal.notify(SESSIONS_CHANNEL);
    return { wasLastOfCookie };
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    await this.#recheck.close();
  }

  #end(session: Session): void {
    this.#known.delete(session.key);
    session.end(ended());
  }

  /** Ends sessions that have expired, or were ended elsewhere, and forgets those that are not in use. */
  async #check(): Promise<void> {
    const { db, clock } = this.#options;
    for (const [key, { session, usedAtMs }] of this.#known) {
      if (session.expiresAtMs <= clock.epochMs()) this.#end(session);
      else if (!session.watched && clock.monotonicMs() - usedAtMs > REMEMBER_MS) this.#known.delete(key);
    }
    if (this.#known.size === 0) return;
    const sessions = [...this.#known.values()].map(({ session }) => session);
    const found = await findSessions(
      db,
      sessions.map(({ key }) => key),
    );
    for (const session of sessions) if (!found.has(session.key)) this.#end(session);
  }
}

/** SHA-256; what is hashed is random, so a slow hash would add nothing. */
const hashOf = (text: string): Buffer => hash('sha256', text, 'buffer');
const secret = (bytes: number): string => randomBytes(bytes).toString('base64url');
const ended = (): SwarmError => new SwarmError('UNAUTHENTICATED', 'the session has ended: sign in again');
