import { expect, it } from 'vitest';
import { bytesField } from './etcd.ts';

it('writes fields of protocol buffers', () => {
  expect([...bytesField(1, Buffer.from('ab'))]).toEqual([0x0a, 2, 0x61, 0x62]);
  expect([...bytesField(2, Buffer.alloc(300)).subarray(0, 3)]).toEqual([0x12, 0xac, 0x02]);
});
