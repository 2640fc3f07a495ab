// Browsers at this core: who signs in, with which session a request is made, and links that sign in.
import type { Clock } from '@hypercode/clock';
import { type SessionCodeResult, type SignedIn, type SignIn, SIGN_IN_FRAGMENT, SwarmError } from '@hypercode/contracts';
import type { Session, Sessions } from '@hypercode/operations';
import type { Identity, Registry } from '@hypercode/registry';
import type { IncomingHttpHeaders } from 'node:http';
import { RateLimit } from '../rate-limit.ts';
import { assertOwnPage, isSecure, type PageHeaders } from './own-page.ts';
import { type CookiePlace, cookiesOf, setCookie } from './session-cookie.ts';

export interface BrowserSessionsOptions {
  readonly sessions: Sessions;
  readonly identities: Registry['identities'];
  /** Where users reach the page; null: only at loopback names. */
  readonly publicUrl: URL | null;
  /** Where links lead; null: the page is not served, and no one signs in. */
  readonly pageUrl: () => string | null;
  readonly clock: Clock;
}

type SessionHeaders = PageHeaders & Pick<IncomingHttpHeaders, 'cookie'>;

/** An answer that sets a cookie. */
interface WithCookie<Body> {
  readonly body: Body;
  readonly setCookie: string;
}

const PER_MINUTE = 10;

export class BrowserSessions {
  readonly #options: BrowserSessionsOptions;
  /** By address. One that succeeds is given back. */
  readonly #tries: RateLimit;
  /** By token. */
  readonly #links: RateLimit;

  constructor(options: BrowserSessionsOptions) {
    this.#options = options;
    const { clock } = options;
    const perMinute = (what: string) =>
      new RateLimit({ perSecond: PER_MINUTE / 60, burstSeconds: 60, words: `${PER_MINUTE} ${what} per minute`, clock });
    this.#tries = perMinute('attempts to sign in from one address');
    this.#links = perMinute('links of one token');
  }

  /**
   * Counts an attempt to sign in, before anything of its body is read. RATE_LIMITED, FORBIDDEN for what is not the page of this core,
   * NOT_FOUND where it serves none.
   */
  admit(headers: PageHeaders, address: string): void {
    this.#pageUrl();
    assertOwnPage(headers, this.#options.publicUrl);
    this.#tries.take(address);
  }

  /** UNAUTHENTICATED, FENCED, UNAVAILABLE. */
  async signIn(headers: SessionHeaders, given: SignIn, address: string): Promise<WithCookie<SignedIn>> {
    const { sessions, identities, clock } = this.#options;
    const token = 'token' in given ? await identities.recognise(given.token) : await this.#tokenOfCode(given.code);
    const place = this.#placeOf(headers);
    const { key, cookie, expiresAtMs } = await sessions.open(token.hash, {
      sentCookies: cookiesOf(headers.cookie, place.host),
      tokenExpiresAtMs: token.expiresAtMs,
    });
    this.#tries.giveBack(address);
    return {
      body: { key, expiresAt: new Date(expiresAtMs).toISOString() },
      setCookie: setCookie(place, { value: cookie, maxAgeMs: expiresAtMs - clock.epochMs() }),
    };
  }

  /** Ends the session of a request. UNAUTHENTICATED, FORBIDDEN, UNAVAILABLE. Null: another session of the browser needs the cookie. */
  async signOut(headers: SessionHeaders, key: string | undefined): Promise<string | null> {
    const session = await this.#sessionOf(headers, key);
    const { wasLastOfCookie } = await this.#options.sessions.end(session);
    return wasLastOfCookie ? setCookie(this.#placeOf(headers), null) : null;
  }

  /** The caller of a request with the key of a session: at once where memory knows both. UNAUTHENTICATED, FORBIDDEN, FENCED, UNAVAILABLE. */
  recognise(headers: SessionHeaders, key: string): Identity | Promise<Identity> {
    const found = this.#sessionOf(headers, key);
    return found instanceof Promise ? found.then((session) => this.#callerOf(session)) : this.#callerOf(found);
  }

  /** A link that signs in with the rights of the caller. RATE_LIMITED, FORBIDDEN for a session, NOT_FOUND where no page is served. */
  async link({ hash, isLent, principal }: Identity): Promise<SessionCodeResult> {
    const page = this.#pageUrl();
    if (isLent) throw new SwarmError('FORBIDDEN', 'a session makes no links: this needs the token itself');
    this.#links.take(principal.id);
    const { code, expiresAt } = await this.#options.sessions.createCode(hash);
    return { url: `${page}#${SIGN_IN_FRAGMENT}${code}`, expiresAt: expiresAt.toISOString() };
  }

  #sessionOf(headers: SessionHeaders, key: string | undefined): Session | Promise<Session> {
    const { sessions, publicUrl } = this.#options;
    if (key === undefined)
      throw new SwarmError('UNAUTHENTICATED', 'the key of a session is needed: swarm-session: KEY');
    assertOwnPage(headers, publicUrl);
    const proof = { key, cookies: cookiesOf(headers.cookie, headers.host ?? '') };
    return sessions.recogniseKnown(proof) ?? sessions.recognise(proof);
  }

  #callerOf(session: Session): Identity | Promise<Identity> {
    const { identities } = this.#options;
    const token = identities.recogniseKnownHash(session.tokenHash);
    if (token !== null) return identities.lend(token, session);
    return identities.recogniseHash(session.tokenHash).then((learnt) => identities.lend(learnt, session));
  }

  async #tokenOfCode(code: string): Promise<Identity> {
    const hash = await this.#options.sessions.takeCode(code);
    if (hash === null)
      throw new SwarmError('UNAUTHENTICATED', 'this link was used, or is older than two minutes: make a new one');
    return this.#options.identities.recogniseHash(hash);
  }

  #placeOf(headers: PageHeaders): CookiePlace {
    return { host: headers.host ?? '', isSecure: isSecure(headers, this.#options.publicUrl) };
  }

  #pageUrl(): string {
    const url = this.#options.pageUrl();
    if (url === null) throw new SwarmError('NOT_FOUND', 'this core serves no dashboard (SWARM_UI)');
    return url;
  }
}
