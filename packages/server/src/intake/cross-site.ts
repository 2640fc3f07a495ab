// Whether a web page of another origin sent a request, by what its browser says of it.

/** Headers of a request; names in lower case. */
export interface PageHeaders {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  readonly 'sec-fetch-site'?: string | readonly string[] | undefined;
}

/** Methods that change nothing (RFC 9110, section 9.2.1), with which a page may also follow a link. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** What `Sec-Fetch-Site` has when the page is of this origin, or when no page asks at all. */
const OWN_SITES: ReadonlySet<unknown> = new Set([undefined, 'same-origin', 'none']);

/**
 * Whether a page of an origin that is neither the server's own (its `Host`) nor one of `origins` sent the request. Pages may send
 * "simple" requests without asking (Fetch, section 3.2), and open WebSockets, so CORS does not stop them. A program that is no
 * browser sends neither header, and is never refused.
 */
export function isCrossSite(
  { host, origin, 'sec-fetch-site': site }: PageHeaders,
  origins: readonly string[],
): boolean {
  if (origin === undefined) return !OWN_SITES.has(site);
  if (origins.includes(origin)) return false;
  return hostOf(origin) !== (host?.toLowerCase() ?? null) || !OWN_SITES.has(site);
}

/** Whether the request may change something. An upgrade may, whatever its method. */
export const mayChange = (method: string, isUpgrade = false): boolean => isUpgrade || !SAFE_METHODS.has(method);

/** Undefined for an opaque origin, `null`. */
const hostOf = (origin: string): string | undefined => /^https?:\/\/(.+)$/.exec(origin.toLowerCase())?.[1];
