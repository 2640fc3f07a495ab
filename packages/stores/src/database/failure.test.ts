// How errors are sorted that the databases' own tests do not provoke.
import { describe, expect, it } from 'vitest';
import { classify } from './failure.ts';

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
    ['28P01', 'other'],
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
