import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Ring } from './ring.ts';

const numbers = (a: number, b: number) => a - b;

describe('Ring', () => {
  test('a ring holds what a plain list of the newest entries would hold', () => {
    const limits = fc.record({
      maxEntries: fc.integer({ min: 1, max: 20 }),
      maxBytes: fc.integer({ min: 1, max: 200 }),
    });
    const sizes = fc.array(fc.integer({ min: 0, max: 40 }), { maxLength: 200 });
    fc.assert(
      fc.property(limits, sizes, fc.integer({ min: 0, max: 1000 }), ({ maxEntries, maxBytes }, bytesOf, start) => {
        const ring = new Ring<number, { position: number }>(start, numbers, { maxEntries, maxBytes });
        const model: { position: number; bytes: number }[] = [];
        let evicted = start;
        for (const [index, bytes] of bytesOf.entries()) {
          const position = start + index + 1;
          ring.append({ position }, bytes);
          model.push({ position, bytes });
          const total = () => model.reduce((sum, entry) => sum + entry.bytes, 0);
          while (model.length > maxEntries || (total() > maxBytes && model.length > 1)) {
            evicted = model.shift()?.position ?? evicted;
          }
          expect(ring.size).toBe(model.length);
          expect(ring.bytes).toBe(total());
          expect(ring.start).toBe(evicted);
          expect(ring.end).toBe(model.at(-1)?.position ?? evicted);
        }
        for (let position = start - 1; position <= start + bytesOf.length + 1; position += 1) {
          expect(ring.reaches(position)).toBe(position >= evicted);
          if (!ring.reaches(position)) continue;
          const after = model.map((entry) => entry.position).filter((entry) => entry > position);
          expect(ring.after(position, 1000).map((entry) => entry.position)).toEqual(after);
          expect(ring.after(position, 3).map((entry) => entry.position)).toEqual(after.slice(0, 3));
          const later = model.filter((entry) => entry.position > position).map(({ bytes }) => bytes);
          const full = later.findIndex((_, i) => later.slice(0, i + 1).reduce((sum, bytes) => sum + bytes, 0) >= 50);
          expect(ring.after(position, 1000, 50)).toHaveLength(full === -1 ? later.length : full + 1);
        }
      }),
    );
  });

  test('a ring keeps its newest entry even if that entry exceeds the byte limit', () => {
    const ring = new Ring<number, { position: number }>(0, numbers, { maxEntries: 10, maxBytes: 10 });
    ring.append({ position: 1 }, 5);
    ring.append({ position: 2 }, 50);
    expect(ring.after(1, 10)).toEqual([{ position: 2 }]);
    expect(ring.reaches(0)).toBe(false);
  });
});
