// What may be probed: tables of addresses, and that no way of writing one gets past the rules.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressRules, defaultRules, isLoopback } from './address-rules.ts';

const none = new AddressRules([]);
const everything = new AddressRules(['0.0.0.0/0', '::/0']);

describe('with any allow list', () => {
  test.each([
    ['link-local', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', 'febf:ffff::1'],
    ['metadata', '169.254.169.254', '169.254.170.2', '100.100.100.200', '168.63.129.16', '192.0.0.192'],
    ['metadata over IPv6', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254', 'fd00:c1::a9fe:a9fe', 'fd00:42::42'],
    ['multicast', '224.0.0.1', '239.255.255.255', 'ff02::1', 'ff0e::1'],
    ['unspecified', '0.0.0.0', '0.1.2.3', '::'],
    ['broadcast and reserved', '255.255.255.255', '240.0.0.1', '192.0.0.1', '100::1', 'fec0::1', '5f00::1', '4000::1'],
    ['documentation', '192.0.2.1', '198.51.100.1', '203.0.113.1', '2001:db8::1', '3fff::1'],
    ['tunnels', '192.88.99.1', '2002:7f00:1::', '2001:0:7f00:1::', '::7f00:1', '64:ff9b:1::7f00:1', '::ffff:0:7f00:1'],
    ['mapped', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '0:0:0:0:0:ffff:0:0', '::FFFF:255.255.255.255'],
    ['translated', '64:ff9b::169.254.169.254', '64:ff9b::a9fe:a9fe', '64:ff9b::', '64:ff9b::1', '64:ff9b::e000:0'],
    ['no address', '', 'localhost', '127.0.0.1:80', '[::1]', '127.1', '010.0.0.1', ' 8.8.8.8', '8.8.8.8%eth0'],
  ])('%s is never probed', (_, ...addresses) => {
    for (const address of addresses) {
      expect([address, none.judge(address)]).toEqual([address, 'never']);
      expect([address, everything.judge(address)]).toEqual([address, 'never']);
    }
  });

  test.each([
    ['8.8.8.8', '1.1.1.1', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0', '192.167.255.255'],
    ['9.255.255.255', '11.0.0.0', '126.255.255.255', '128.0.0.0', '169.253.255.255', '169.255.0.0', '223.255.255.255'],
    ['2606:4700:4700::1111', '2a00:1450::1', '2001:4860:4860::8888', '3ffe::1'],
    ['::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '64:FF9B:0:0:0:0:808:808'],
  ])('public addresses are: %s', (...addresses) => {
    for (const address of addresses) expect([address, none.judge(address)]).toEqual([address, 'permitted']);
  });
});

describe('the list', () => {
  test.each([
    ['loopback', '127.0.0.1', '127.255.255.254', '::1', '::ffff:127.0.0.1', '64:ff9b::7f00:1', '0:0:0:0:0:0:0:1'],
    ['private', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1', 'fc00::1', 'fdff::1', '::ffff:10.0.0.1'],
    ['shared and benchmarks', '100.64.0.1', '100.127.255.255', '198.18.0.1', '198.19.255.255'],
  ])('decides on %s addresses', (_, ...addresses) => {
    for (const address of addresses) {
      expect([address, none.judge(address)]).toEqual([address, 'local']);
      expect([address, everything.judge(address)]).toEqual([address, 'permitted']);
    }
  });

  test.each([
    [['10.1.0.0/16'], '10.1.255.255', '10.2.0.0'],
    [['10.1.2.3/16'], '10.1.0.0', '10.0.255.255'],
    [['10.0.0.7'], '10.0.0.7', '10.0.0.8'],
    [['10.0.0.0/8'], '::ffff:10.0.0.1', '::ffff:192.168.0.1'],
    [['fd00::/8'], 'fd12::1', 'fc12::1'],
    [['::1'], '::1', '127.0.0.1'],
    [['::/0'], 'fd00::1', '::ffff:127.0.0.1'],
    [['0.0.0.0/0'], '127.0.0.1', '::1'],
    [['192.168.0.0/24', '10.0.0.0/8'], '10.0.0.1', '192.168.1.1'],
  ])('%j permits %s and leaves %s', (allow, inside, outside) => {
    const rules = new AddressRules(allow);
    expect(rules.judge(inside)).toBe('permitted');
    expect(rules.judge(outside)).toBe('local');
  });

  test.each([
    ['', '10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0/8', '10.0.0.0/1e1', '10.0.0.0/ 8'],
    ['::/129', 'localhost', 'fe80::1%eth0', '*', '::ffff:10.0.0.0/104', '64:ff9b::/96'],
  ])('refuses what is no network: %j', (...wrong) => {
    for (const cidr of wrong) expect(() => new AddressRules(['10.0.0.0/8', cidr])).toThrow(`"${cidr}"`);
  });

  test('the default allow list is loopback in the embedded mode, and empty on a server', () => {
    const judged = (mode: 'embedded' | 'server') =>
      ['127.0.0.1', '::1', '10.0.0.1', 'fd00::1', '169.254.169.254'].map((at) => defaultRules(mode).judge(at));
    expect(judged('embedded')).toEqual(['permitted', 'permitted', 'local', 'local', 'never']);
    expect(judged('server')).toEqual(['local', 'local', 'local', 'local', 'never']);
  });
});

describe('properties', () => {
  const groupsOf = (value: number) => `${(value >>> 16).toString(16)}:${(value & 0xffff).toString(16)}`;
  const dotted = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 255).join('.');
  const edges = ['0.0.0.0', '10.0.0.0', '100.64.0.0', '127.0.0.0', '169.254.0.0', '172.16.0.0', '192.168.0.0'];
  const asNumber = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const within = (value: number, network: string, prefix: number) =>
    value >>> (32 - prefix) === asNumber(network) >>> (32 - prefix);
  const ipv4 = fc.oneof(
    fc.nat({ max: 0xffffffff }),
    fc
      .tuple(fc.constantFrom(...edges), fc.integer({ min: -2, max: 0xffff }))
      .map(([edge, offset]) => (asNumber(edge) + offset) >>> 0),
  );
  const lists = fc.subarray(['127.0.0.0/8', '10.0.0.0/8', '192.168.0.0/16', '169.254.0.0/16', '0.0.0.0/0', '::/0']);

  test('all ways of writing an IPv4 address are judged alike', () => {
    fc.assert(
      fc.property(ipv4, lists, (value, allow) => {
        const rules = new AddressRules(allow);
        const verdict = rules.judge(dotted(value));
        const [a, b, c, d] = dotted(value).split('.');
        const octal = [a, b, c, d].map((part) => `0${Number(part).toString(8)}`).join('.');
        for (const host of [
          String(value),
          `0x${value.toString(16)}`,
          octal,
          `${a}.${b}.${Number(c) * 256 + Number(d)}`,
        ]) {
          expect(rules.judge(new URL(`http://${host}/`).hostname)).toBe(verdict);
        }
        for (const form of [`::ffff:${dotted(value)}`, `::ffff:${groupsOf(value)}`, `64:ff9b::${groupsOf(value)}`]) {
          expect(rules.judge(form)).toBe(verdict);
          expect(rules.judge(new URL(`http://[${form}]/`).hostname.slice(1, -1))).toBe(verdict);
        }
      }),
    );
  });

  test('IPv4 is judged as arithmetic judges it', () => {
    fc.assert(
      fc.property(ipv4, (value) => {
        const isNever =
          within(value, '169.254.0.0', 16) || within(value, '0.0.0.0', 8) || value >= asNumber('224.0.0.0');
        const isLocal =
          within(value, '127.0.0.0', 8) ||
          within(value, '10.0.0.0', 8) ||
          within(value, '172.16.0.0', 12) ||
          within(value, '192.168.0.0', 16);
        const verdicts = [none.judge(dotted(value)), everything.judge(dotted(value))];
        if (isNever) expect(verdicts).toEqual(['never', 'never']);
        else if (isLocal) expect(verdicts).toEqual(['local', 'permitted']);
        // What is left is public, or in one of the small networks of the tables.
        else
          expect([
            ['never', 'never'],
            ['local', 'permitted'],
            ['permitted', 'permitted'],
          ]).toContainEqual(verdicts);
      }),
    );
  });

  test('a longer list never permits less, and never what is never permitted', () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6());
    fc.assert(
      fc.property(address, lists, (at, allow) => {
        const verdicts = [none, new AddressRules(allow), everything].map((rules) => rules.judge(at));
        const expected = {
          never: [['never', 'never', 'never']],
          permitted: [['permitted', 'permitted', 'permitted']],
          local: [
            ['local', 'local', 'permitted'],
            ['local', 'permitted', 'permitted'],
          ],
        };
        expect(expected[none.judge(at)]).toContainEqual(verdicts);
      }),
    );
  });
});

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['::1', true],
  ['::ffff:127.0.0.1', true],
  ['localhost', true],
  ['0.0.0.0', false],
  ['::', false],
  ['10.0.0.1', false],
  ['core.internal', false],
])('a core that listens on %s is reached by its own machine alone: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});
