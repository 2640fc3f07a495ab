// How errors are sorted that the databases' own tests do not provoke.
import { describe, expect, it } from 'vitest';
import { classify, isMisconfigured, isOutage } from './failure.ts';

const withCode = (code: string, more: object = {}) => Object.assign(new Error('failed'), { code, ...more });

describe('classify', () => {
  it.each([
    ['08006', 'unavailable'],
    ['21000', 'data'],
    ['22001', 'data'],
    ['23505', 'data'],
    ['25006', 'unavailable'],
    ['25P02', 'other'],
    ['25P03', 'unavailable'],
    ['28P01', 'unavailable'],
    ['3D000', 'unavailable'],
    ['40001', 'unavailable'],
    ['40P01', 'unavailable'],
    ['42P01', 'other'],
    ['53300', 'unavailable'],
    ['54000', 'data'],
    ['55P03', 'unavailable'],
    ['57014', 'unavailable'],
    ['57P01', 'unavailable'],
    ['57P03', 'unavailable'],
    ['58030', 'unavailable'],
    ['XX000', 'other'],
    ['ECONNREFUSED', 'unavailable'],
    ['EPIPE', 'unavailable'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'unavailable'],
    ['CERT_HAS_EXPIRED', 'unavailable'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'unavailable'],
    ['EACCES', 'other'],
    ['ENOENT', 'other'],
  ])('%s is %s', (code, kind) => {
    expect(classify(withCode(code))).toBe(kind);
  });

  it('knows a missing Unix socket from a missing file', () => {
    expect(classify(withCode('ENOENT', { syscall: 'connect' }))).toBe('unavailable');
    expect(classify(withCode('ENOENT', { syscall: 'open' }))).toBe('other');
  });

  it('looks along the causes, also circular ones', () => {
    const outer = new Error('outer', { cause: new Error('middle', { cause: withCode('57P01') }) });
    expect(classify(outer)).toBe('unavailable');
    const circular = new Error('circular');
    circular.cause = circular;
    expect(classify(circular)).toBe('other');
  });

  it('leaves what is no error of a database alone', () => {
    expect(classify(new Error('Connection pooling is fun'))).toBe('other');
    expect(classify('Connection terminated')).toBe('other');
    expect(classify(undefined)).toBe('other');
    expect(classify(new TypeError('x is not a function'))).toBe('other');
  });
});

describe('isOutage', () => {
  it.each(['08006', '25006', '28P01', '53300', '57P01', '58030', 'ECONNREFUSED', 'CERT_HAS_EXPIRED'])(
    '%s is one',
    (code) => {
      expect(isOutage(withCode(code))).toBe(true);
    },
  );

  it.each(['22001', '23505', '40001', '42P01', '55P03', '57014'])('%s is a fault of a statement', (code) => {
    expect(isOutage(withCode(code))).toBe(false);
  });
});

describe('isMisconfigured', () => {
  it.each([
    withCode('28P01'),
    withCode('28000'),
    withCode('3D000'),
    withCode('3F000'),
    Object.assign(new Error('unsupported startup parameter: options'), { code: '08P01' }),
    Object.assign(new Error('no such database: x'), { code: '08P01' }),
    new Error('the start failed', { cause: withCode('28P01') }),
  ])('is true for what no waiting mends', (error) => {
    expect(isMisconfigured(error)).toBe(true);
  });

  it.each([
    withCode('57P03'),
    withCode('25006'),
    withCode('DEPTH_ZERO_SELF_SIGNED_CERT'),
    Object.assign(new Error('server login has been failing, cached error: connect failed'), { code: '08P01' }),
  ])('is false for what may pass', (error) => {
    expect(isMisconfigured(error)).toBe(false);
  });
});
