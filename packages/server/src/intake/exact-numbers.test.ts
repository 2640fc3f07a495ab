import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isExact, withExactNumbers } from './exact-numbers.ts';

describe('a number arrives as it came', () => {
  it.each([
    '0',
    '-0',
    '9007199254740991',
    '-9007199254740991',
    '9007199254740992',
    '1152921504606847000',
    '10000000000000000000',
    '1000000000000000000000000',
    '1e300',
    '-1.7976931348623157e308',
    '5e-324',
    '0.1',
    '0.10000000000000001',
    '0.10000000000000000555',
    '0.1000000000000000000000000',
    '3.141592653589793',
    '1.50',
    '1E2',
    '1732789109.123456717',
    '0e99999',
  ])('%s', (literal) => {
    expect(isExact(literal)).toBe(true);
    expect(withExactNumbers(`[${literal}]`)).toBe(`[${literal}]`);
  });

  it('whatever JavaScript prints', () => {
    fc.assert(fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => isExact(String(value))));
  });

  it('every integer that a number can hold', () => {
    fc.assert(fc.property(fc.maxSafeInteger(), (value) => isExact(String(value))));
  });
});

describe('a number does not arrive as it came', () => {
  it.each([
    '9007199254740993',
    '-9007199254740993',
    '1152921504606846976',
    '1152921504606846976.0',
    '9007199254740993.5',
    '1724442618569203714',
    '-9223372036854775808',
    '18446744073709551615',
    '1e400',
    '-1e309',
    '1000000e304',
    '1e-400',
    '0.1234567890123456789',
    '123456789.123456789',
    '0.9999999999999999999999',
    `1${'0'.repeat(400)}`,
    `0.${'3'.repeat(2000)}`,
  ])('%s', (literal) => {
    expect(isExact(literal)).toBe(false);
    expect(withExactNumbers(literal)).toBe('1e999');
    expect(withExactNumbers(`{"a" :${literal},"b":[ ${literal}]}`)).toBe('{"a" :1e999,"b":[ 1e999]}');
  });

  it('an integer that is printed otherwise', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
        const literal = String(value);
        const printed = JSON.stringify(JSON.parse(literal));
        expect(isExact(literal)).toBe(asInteger(printed) === value);
      }),
    );
  });
});

/** `1e+21` is how JavaScript prints large integers. */
function asInteger(printed: string): bigint {
  const [digits = '', exponent = '0'] = printed.split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length);
}

it('what is in a string is no number', () => {
  const text = String.raw`{"a": "x: 9007199254740993, \" 1e400", ": 1e400": 1, "b\\": "\\", "c": 1}`;
  expect(withExactNumbers(text)).toBe(text);
});

it.each(['01234567890123456789', '1234567890123456.7.8', '1e400e400', '--1234567890123456', '1234567890123456.'])(
  '%s is no number, and stays for the parser to refuse',
  (text) => {
    expect(withExactNumbers(text)).toBe(text);
  },
);

it('every other character stays as it is', () => {
  const literal = fc.constantFrom('1', '1e400', '9007199254740993', '0.5', '18446744073709551615', '-1E309');
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      literal,
      fc.json({ maxDepth: 0 }),
      fc.array(tie('tree')).map((items) => `[${items.join(' , ')}]`),
      fc.array(fc.tuple(fc.json({ maxDepth: 0 }), tie('tree'))).map((fields) => {
        return `{ ${fields.map(([name, value]) => `${JSON.stringify(name)} : ${value}`).join(',')} }`;
      }),
    ),
  }));
  const exactOrInfinity = (_name: string, value: unknown, context?: { source?: string }): unknown =>
    typeof value === 'number' && !isExact(context?.source ?? '') ? Infinity : value;
  fc.assert(
    fc.property(tree, (text) => {
      expect(JSON.parse(withExactNumbers(text))).toEqual(JSON.parse(text, exactOrInfinity));
    }),
  );
});

it('a hostile text takes a moment', () => {
  const started = performance.now();
  withExactNumbers(`[1e400,${'0.'.padEnd(200_000, '0')}1,${'1e5,'.repeat(500_000)}1]`);
  withExactNumbers(`${'['.repeat(500_000)}1e400${']'.repeat(500_000)}`);
  withExactNumbers(' '.repeat(2_000_000));
  expect(performance.now() - started).toBeLessThan(5_000);
});
