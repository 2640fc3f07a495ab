import { expect, it } from 'vitest';
import { MarkCounter } from './mark-counter.ts';

it('counts every mark, however the bytes are cut', () => {
  const bytes = Buffer.from('data: {"a"}\n\ndata: {"b"}\n\nda ta: data: {"c"}\n\n');
  for (let size = 1; size <= bytes.length; size++) {
    const counter = new MarkCounter('data: {');
    for (let at = 0; at < bytes.length; at += size) counter.read(bytes.subarray(at, at + size));
    expect(counter.count, `in pieces of ${size}`).toBe(3);
  }
});
