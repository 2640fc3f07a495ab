import { describe, expect, test } from 'vitest';
import { readLines, type TextLine } from './read-lines.ts';

async function linesOf(...chunks: (string | Uint8Array)[]): Promise<TextLine[]> {
  const lines: TextLine[] = [];
  for await (const line of readLines(
    (async function* () {
      yield* chunks;
    })(),
  ))
    lines.push(line);
  return lines;
}

describe('lines', () => {
  test('end where the next one begins, in bytes, however the chunks are cut', async () => {
    const bytes = Buffer.from('{"a":"é"}\n\nlast');
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(await linesOf(bytes.subarray(0, cut), bytes.subarray(cut))).toEqual([
        { text: '{"a":"é"}', number: 1, end: 11, isWhole: true },
        { text: 'last', number: 3, end: 16, isWhole: false },
      ]);
    }
  });

  test('that are not UTF-8 are refused with their number', async () => {
    await expect(linesOf('a\n', new Uint8Array([0xff, 0x0a]))).rejects.toThrow('line 2 is not UTF-8');
  });

  test('there are none in nothing', async () => {
    expect(await linesOf()).toEqual([]);
    expect(await linesOf('\n\n')).toEqual([]);
  });
});
