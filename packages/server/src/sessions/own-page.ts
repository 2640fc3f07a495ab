// Which requests come from the page that the core serves itself. Only those may use a session.
import { SwarmError } from '@hypercode/contracts';
import type { IncomingHttpHeaders } from 'node:http';

/** The headers of a request that decide. */
export type PageHeaders = Pick<IncomingHttpHeaders, 'origin' | 'host' | 'sec-fetch-site'>;

/** An address of IPv4 or IPv6, as URLs write them. */
const ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[\da-f:.]+\])$/;
/** 127.0.0.0/8, as browsers write addresses. */
const LOOPBACK_V4 = /^127(?:\.\d{1,3}){3}$/;

/**
 * FORBIDDEN unless the page of this core sends the request: its `Host` is that of the public address or a loopback name, so no name that an
 * attacker points at this machine counts (DNS rebinding); and browsers say that it comes from that origin, by `Origin`, or where they
 * send none, by `Sec-Fetch-Site: same-origin`. Another port of the same host is another origin. Origins that may call with a token
 * (`SWARM_CORS_ORIGINS`) may not use a session.
 */
export function assertOwnPage(headers: PageHeaders, publicUrl: URL | null): void {
  const { origin, 'sec-fetch-site': site } = headers;
  const here = originsOf(headers, publicUrl);
  if (here.length === 0) {
    throw new SwarmError(
      'FORBIDDEN',
      'a session works at the address in SWARM_PUBLIC_URL, and at localhost; this request names another host',
    );
  }
  const isOwn = origin === undefined ? site !== undefined : here.includes(origin);
  if (!isOwn || (site !== undefined && site !== 'same-origin'))
    throw new SwarmError('FORBIDDEN', 'only the page that this core serves may use a session');
}

/** Whether the page came over TLS. Needs a request that `assertOwnPage` has passed. */
export const isSecure = ({ origin, host = '' }: PageHeaders, publicUrl: URL | null): boolean =>
  origin === undefined ? publicUrl?.protocol === 'https:' && isPublic(host, publicUrl) : origin.startsWith('https:');

/** The origins that the page can have when it sends a request to this host; none for a stranger's. */
function originsOf({ host = '' }: PageHeaders, publicUrl: URL | null): string[] {
  if (publicUrl !== null && isPublic(host, publicUrl)) return [publicUrl.origin];
  const [plain, secure] = ['http', 'https'].map((scheme) => URL.parse(`${scheme}://${host}`));
  if (plain == null || secure == null || !isLoopback(plain.hostname)) return [];
  // A proxy may name itself in place of the public address.
  return [plain.origin, secure.origin, ...(publicUrl === null ? [] : [publicUrl.origin])];
}

/**
 * Whether a request names this core as its host: by the public address, by a loopback name, or by the number of an address. A name that an
 * attacker points at this machine is none of these (DNS rebinding).
 */
export function isOwnHost(host: string | undefined, publicUrl: URL | null): boolean {
  if (host === undefined || host === '') return false;
  if (publicUrl !== null && isPublic(host, publicUrl)) return true;
  const hostname = URL.parse(`http://${host}`)?.hostname;
  return hostname !== undefined && (isLoopback(hostname) || ADDRESS.test(hostname));
}

const isPublic = (host: string, { protocol, host: own }: URL): boolean =>
  URL.parse(`${protocol}//${host}`)?.host === own;

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || LOOPBACK_V4.test(hostname);
