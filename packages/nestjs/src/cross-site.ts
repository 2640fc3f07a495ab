// Refuses what a web page of another origin makes its visitor's browser send. Such a page can send a request without a body,
// or with a plain one, without being asked for leave (Fetch Standard, "CORS-safelisted request-header").
import { type CanActivate, type ExecutionContext, ForbiddenException, Injectable } from '@nestjs/common';

export interface CrossSiteGuardOptions {
  /** Origins whose pages may change something here all the same, such as `https://console.example`. Default: none. */
  readonly trustedOrigins?: readonly string[];
}

/** The part of a request that decides. Names of headers are in lower case, as Node.js gives them. */
export interface BrowserRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Methods that change nothing (RFC 9110, section 9.2.1). */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Of a request that a page of the same origin made, and of one that the user made. */
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

/**
 * Whether a page of another origin sends the request, and the request may change something. Browsers say so in
 * `Sec-Fetch-Site` (Fetch Metadata), which no page can set; older ones send the page's `Origin`, which is compared with
 * `Host`. A request with neither is from no page. The rules are those of `CrossOriginProtection` in Go's net/http.
 */
export function isCrossSite({ method, headers }: BrowserRequest, trustedOrigins: readonly string[] = []): boolean {
  if (SAFE_METHODS.has(method)) return false;
  const { origin, 'sec-fetch-site': site, host } = headers;
  if (typeof origin === 'string' && trustedOrigins.includes(origin)) return false;
  if (site !== undefined) return typeof site !== 'string' || !OWN_SITES.has(site);
  if (origin === undefined) return false;
  // `null`, the origin of a page in a sandbox, is no URL.
  const sender = typeof origin === 'string' ? URL.parse(origin)?.host : undefined;
  return sender === undefined || typeof host !== 'string' || sender !== host.toLowerCase();
}

/**
 * A guard for all routes: `app.useGlobalGuards(new CrossSiteGuard())`. Refuses with 403 what `isCrossSite` describes; what is
 * not HTTP, such as a microservice's message, passes.
 */
@Injectable()
export class CrossSiteGuard implements CanActivate {
  readonly #trustedOrigins: readonly string[];

  constructor({ trustedOrigins = [] }: CrossSiteGuardOptions = {}) {
    this.#trustedOrigins = trustedOrigins;
  }

  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const request = context.switchToHttp().getRequest<BrowserRequest>();
    if (!isCrossSite(request, this.#trustedOrigins)) return true;
    throw new ForbiddenException(
      'a web page of another origin may change nothing here: send the request from a page of this origin, or not from a browser',
    );
  }
}
