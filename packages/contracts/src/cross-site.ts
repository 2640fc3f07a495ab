// Which requests a web page of another origin makes its visitor's browser send. Such a page can send a request without a body, or
// with a plain one, and open a WebSocket, without asking first (Fetch Standard, "CORS-safelisted request-header").

/** The part of a request that decides. Names of headers are in lower case, as Node.js gives them. */
export interface BrowserRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Methods that change nothing (RFC 9110, section 9.2.1), with which a page may also follow a link. */
const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Of a request that a page of the same origin made, and of one that the user made. */
const OWN_SITES: ReadonlySet<string> = new Set(['same-origin', 'none']);

/** Whether the request may change something, and a page of another origin sends it. */
export const isCrossSite = ({ method, headers }: BrowserRequest, trustedOrigins: readonly string[] = []): boolean =>
  !SAFE_METHODS.has(method) && isFromOtherOrigin(headers, trustedOrigins);

/**
 * Whether a page sends the request whose origin is neither the server's own nor one of `trustedOrigins`. Browsers name the relation
 * in `Sec-Fetch-Site` (Fetch Metadata), which no page can set; older ones send the page's `Origin`, which is compared with `Host`. A
 * request with neither is from no page. The rules are those of `CrossOriginProtection` in Go's net/http.
 */
export function isFromOtherOrigin(
  { origin, 'sec-fetch-site': site, host }: BrowserRequest['headers'],
  trustedOrigins: readonly string[] = [],
): boolean {
  if (typeof origin === 'string' && trustedOrigins.includes(origin)) return false;
  if (site !== undefined) return typeof site !== 'string' || !OWN_SITES.has(site);
  if (origin === undefined) return false;
  const sender = typeof origin === 'string' ? hostOf(origin) : undefined;
  return sender === undefined || typeof host !== 'string' || sender !== host.toLowerCase();
}

/** Undefined for `null`, the origin of a page in a sandbox, and for what is no page: an extension. */
function hostOf(origin: string): string | undefined {
  if (!/^https?:/i.test(origin)) return undefined;
  try {
    return new URL(origin).host;
  } catch {
    return undefined;
  }
}
