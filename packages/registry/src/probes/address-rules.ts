// Which addresses may be probed: the guard that keeps a `healthUrl` from turning the core against its own network.
import { BlockList, isIP, isIPv4, isIPv6 } from 'node:net';

/**
 * - `permitted`: public, or local and on the list
 * - `local`: loopback or private, and not on the list
 * - `never`: even if it is on the list
 */
export type AddressVerdict = 'permitted' | 'local' | 'never';

const LOOPBACK = ['127.0.0.0/8', '::1/128'];

/** Networks that are probed only where the operator lists them. */
const LOCAL = [
  LOOPBACK,
  ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
  // Shared by carriers and overlay networks (RFC 6598), and benchmarks (RFC 2544).
  ['100.64.0.0/10', '198.18.0.0/15'],
].flat();

/** The metadata services of clouds, which serve credentials, outside of the link-local networks. */
const METADATA = [
  // Alibaba, Azure.
  ['100.100.100.200/32', '168.63.129.16/32'],
  // AWS, Google, Oracle, Scaleway.
  ['fd00:ec2::/32', 'fd20:ce::254/128', 'fd00:c1::a9fe:a9fe/128', 'fd00:42::42/128'],
].flat();

/**
 * IANA's registries of special-purpose addresses (RFC 6890), but for what is local. Of IPv6 only the exceptions within
 * global unicast and private addresses: all else is refused as a whole.
 */
const RESERVED = [
  // This host, link-local, protocol assignments, documentation, old relays, multicast, the rest with broadcast.
  ['0.0.0.0/8', '169.254.0.0/16', '192.0.0.0/24'],
  ['192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '192.88.99.0/24', '224.0.0.0/4', '240.0.0.0/4'],
  // Protocol assignments with Teredo, documentation, 6to4.
  ['2001::/23', '2001:db8::/32', '3fff::/20', '2002::/16'],
].flat();

const NEVER = networks([...RESERVED, ...METADATA]);
const LOCALS = networks(LOCAL);
const LOOPBACKS = networks(LOOPBACK);
const GLOBAL_IPV6 = networks(['2000::/3']);

/**
 * Decides by the address that a connection is about to go to, never by a name. Public addresses are always permitted,
 * loopback and private ones if they are on the list, and some never: link-local, metadata of clouds, multicast,
 * unspecified, broadcast and reserved ones. IPv6 that stands for an IPv4 address (mapped, NAT64) is judged as that.
 */
export class AddressRules {
  readonly #allow: Networks;

  /** `allow` lists addresses and CIDRs; throws a RangeError that names one that is neither. */
  constructor(allow: readonly string[]) {
    this.#allow = networks(allow);
  }

  judge(address: string): AddressVerdict {
    const judged = isIPv6(address) ? (embeddedIPv4(address) ?? address) : address;
    if (isIP(judged) === 0 || judged.includes('%') || NEVER.has(judged)) return 'never';
    if (LOCALS.has(judged)) return this.#allow.has(judged) ? 'permitted' : 'local';
    return isIPv4(judged) || GLOBAL_IPV6.has(judged) ? 'permitted' : 'never';
  }
}

/**
 * The rules where the operator gives none. `embedded`, which only its own machine reaches, permits loopback. `server` permits
 * public addresses only: an agent could otherwise have the core probe its own neighbours. Where the agents live in a
 * private network, operators list it: `SWARM_PROBE_ALLOW=10.0.0.0/8`.
 */
export function defaultRules(mode: 'embedded' | 'server'): AddressRules {
  return new AddressRules(mode === 'embedded' ? LOOPBACK : []);
}

/** Whether a host that is listened on is reached by its own machine alone. Of names, only `localhost`. */
export function isLoopback(host: string): boolean {
  const address = isIPv6(host) ? (embeddedIPv4(host) ?? host) : host;
  return host === 'localhost' || (isIP(address) !== 0 && LOOPBACKS.has(address));
}

interface Networks {
  has(address: string): boolean;
}

/** Families are kept apart, because BlockList finds every IPv4 address in `::/0`. */
function networks(cidrs: readonly string[]): Networks {
  const ipv4 = new BlockList();
  const ipv6 = new BlockList();
  for (const cidr of cidrs) {
    const [address = '', bits, ...rest] = cidr.split('/');
    const width = isIPv4(address) ? 32 : 128;
    const prefix = bits === undefined ? width : Number(bits);
    const plain = isIP(address) !== 0 && !address.includes('%') && rest.length === 0;
    if (!plain || !/^\d{1,3}$/.test(bits ?? '0') || prefix > width) {
      throw new RangeError(`"${cidr}" is not an address or a CIDR such as 10.0.0.0/8`);
    }
    if (width === 32) ipv4.addSubnet(address, prefix, 'ipv4');
    else if (embeddedIPv4(address) === null) ipv6.addSubnet(address, prefix, 'ipv6');
    else throw new RangeError(`"${cidr}" is IPv4 written as IPv6: write the IPv4 range instead`);
  }
  return { has: (address) => (isIPv4(address) ? ipv4.check(address, 'ipv4') : ipv6.check(address, 'ipv6')) };
}

/** The IPv4 address within an IPv4-mapped (RFC 4291, `::ffff:0:0/96`) or a NAT64 (RFC 6052, `64:ff9b::/96`) one. */
function embeddedIPv4(address: string): string | null {
  // URL writes an address in the one way of RFC 5952, but for the dotted tail.
  const literal = `http://[${address}]/`;
  const canonical = URL.canParse(literal) ? new URL(literal).hostname.slice(1, -1) : '';
  const match = /^(?:::ffff:([\da-f]+):([\da-f]+)|64:ff9b::(?:(?:([\da-f]+):)?([\da-f]+))?)$/.exec(canonical);
  if (match === null) return null;
  const high = Number.parseInt(match[1] ?? match[3] ?? '0', 16);
  const low = Number.parseInt(match[2] ?? match[4] ?? '0', 16);
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
