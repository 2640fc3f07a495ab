// The cookie of sessions: its name, how it is set, and how it is read (RFC 6265).

export interface CookiePlace {
  /** The request's. Cookies know no ports, so the name has the port: two cores on one machine do not sign each other out. */
  readonly host: string;
  /** Whether the page came over TLS. */
  readonly isSecure: boolean;
}

const NAME = 'swarm-session';
/** A browser takes a cookie of such a name only over TLS, from this host alone and for all paths. */
const SECURE_PREFIX = '__Host-';
/** Most values of one name that are read: a browser may have some that another server of the same host has set. */
const MAX_VALUES = 4;

const plainName = (host: string): string => {
  const port = URL.parse(`http://${host}`)?.port ?? '';
  return port === '' ? NAME : `${NAME}-${port}`;
};

/** `Set-Cookie` for a session. Without a value it removes the cookie. */
export function setCookie({ host, isSecure }: CookiePlace, cookie: { value: string; maxAgeMs: number } | null): string {
  const name = isSecure ? SECURE_PREFIX + plainName(host) : plainName(host);
  const { value, maxAgeMs } = cookie ?? { value: '', maxAgeMs: 0 };
  const attributes = ['Path=/', `Max-Age=${Math.ceil(maxAgeMs / 1000)}`, 'HttpOnly', 'SameSite=Strict'];
  return [`${name}=${value}`, ...attributes, ...(isSecure ? ['Secure'] : [])].join('; ');
}

/** The values that the header `Cookie` may have for a session, those that only TLS can have set first. */
export function cookiesOf(header: string | undefined, host: string): string[] {
  const found: string[] = [];
  const pairs = (header ?? '').split(';').map((pair) => pair.trim());
  for (const name of [SECURE_PREFIX + plainName(host), plainName(host)]) {
    for (const pair of pairs) if (pair.startsWith(`${name}=`)) found.push(pair.slice(name.length + 1));
  }
  return found.slice(0, MAX_VALUES);
}
